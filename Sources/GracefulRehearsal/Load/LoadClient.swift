internal import GracefulProcesses
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// What clients of one mode on one event loop have seen.
final class LoopTally {
  var tally = LoadTally()
}

/// One client: one request at a time, and no second try of any of them.
///
/// It lives on its event loop and is touched nowhere else.
final class LoadClient {
  /// IP_BIND_ADDRESS_NO_PORT, which NIO does not name.
  private static let bindWithoutPort = ChannelOptions.Types.SocketOption(level: .ip, name: .init(rawValue: 24))

  private let name: String
  private let mode: LoadMode
  private let loop: any EventLoop
  private let settings: LoadSettings
  private let tally: LoopTally
  private let observations: LoadObservations
  private var random: UInt64

  private var number = 0
  private var channel: (any Channel)?
  private var request: RequestStateMachine?
  private var startedAt = NIODeadline.now()
  private var timer: Scheduled<Void>?
  private var announcesClose = false
  private var body = ByteBuffer()
  private let matcher: BodyMatcher?
  /// Whether the last request was answered, on the connection that is kept.
  private var wasAnswered = false
  /// The last body that named its server, and whom: most answers need no parsing.
  private var known: (body: ByteBuffer, identity: ServerIdentity)?
  /// Who answered on this connection before, and when first: the process that accepted it, as far as answers tell.
  private var owner: (pid: ProcessID, since: NIODeadline)?
  private var stopped: EventLoopPromise<Void>?
  private var hasStopped = false

  init(
    name: String, mode: LoadMode, loop: any EventLoop, settings: LoadSettings, tally: LoopTally,
    observations: LoadObservations, seed: UInt64
  ) {
    self.name = name
    self.mode = mode
    self.loop = loop
    self.settings = settings
    self.tally = tally
    self.observations = observations
    self.random = seed | 1
    matcher = BodyMatcher(settings.expectedPattern)
  }

  func start() { waitAndBegin() }

  /// No further request begins; the one in flight ends.
  func stop(_ promise: EventLoopPromise<Void>) {
    stopped = promise
    if request == nil { leave() }
  }

  private func leave() {
    // The wait before the next request may still be running: it must find that there is none.
    hasStopped = true
    let last = channel
    channel = nil
    last?.close(promise: nil)
    stopped?.succeed()
    stopped = nil
  }

  private func waitAndBegin() {
    // xorshift64: the wait need not be a secret, and a system call for each would be load of our own making.
    random ^= random << 13
    random ^= random >> 7
    random ^= random << 17
    let wait = TimeAmount.nanoseconds(Int64(random % UInt64(max(1, settings.longestWait.nanoseconds))))
    let bound = NIOLoopBound(self, eventLoop: loop)
    loop.scheduleTask(in: wait) { bound.value.begin() }
  }

  private func begin() {
    guard !hasStopped else { return }
    number += 1
    startedAt = .now()
    tally.tally.began()
    announcesClose = false
    body.clear()
    request = RequestStateMachine(
      id: "\(name)-\(number)", expectedLength: settings.expectedLength, connected: channel != nil)
    if let channel { send(on: channel) } else { connect() }
  }

  private func connect() {
    owner = nil
    let bound = NIOLoopBound(self, eventLoop: loop)
    var bootstrap = ClientBootstrap(group: loop)
      .connectTimeout(settings.limit)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let client = bound.value
          let id = ObjectIdentifier(channel)
          let tell: (ConnectionEvent) -> Void = { client.receive($0, from: id) }
          try channel.pipeline.syncOperations.addClient(tell)
        }
      }
    if !settings.sources.isEmpty {
      // IP_BIND_ADDRESS_NO_PORT (ip(7)): the port is chosen when the destination is known, so that one port serves
      // several destinations, and one in TIME_WAIT is no obstacle where the system allows its reuse.
      bootstrap =
        bootstrap.channelOption(Self.bindWithoutPort, value: 1)
        .bind(to: settings.sources[number % settings.sources.count])
    }
    bootstrap.connect(to: settings.address).whenComplete { result in
      bound.value.connected(result)
    }
  }

  private func connected(_ result: Result<any Channel, any Error>) {
    switch result {
    case .success(let channel):
      self.channel = channel
      apply(.connected)
      if request != nil { send(on: channel) }
    case .failure(let error):
      apply(.connectFailed(.from(error)))
    }
  }

  private func send(on channel: any Channel) {
    let bound = NIOLoopBound(self, eventLoop: loop)
    timer = loop.scheduleTask(deadline: startedAt + settings.limit) { bound.value.apply(.timedOut) }
    let head = HTTPRequestHead(
      version: .http1_1, method: .GET, uri: settings.url.path,
      headers: ["Host": settings.url.authority, "X-Request-Id": "\(name)-\(number)"])
    channel.write(HTTPClientRequestPart.head(head), promise: nil)
    // A write that fails closes the channel with its error: both come through the pipeline.
    let id = ObjectIdentifier(channel)
    channel.writeAndFlush(HTTPClientRequestPart.end(nil)).whenFailure { _ in bound.value.receive(.reset, from: id) }
  }

  private func receive(_ event: ConnectionEvent, from id: ObjectIdentifier) {
    // What comes on an earlier connection belongs to no request any more.
    guard let channel, ObjectIdentifier(channel) == id else { return }
    guard request != nil else {
      switch event {
      case .closed, .reset:
        tally.tally.sawIdleClose()
        self.channel = nil
      case .firstByte, .head, .body, .end, .bytesBehind, .malformed: sawBytesBehind(on: channel)
      }
      return
    }
    switch event {
    case .firstByte: apply(.firstByte)
    case .head(let head):
      announcesClose = head.announcesClose
      apply(.head(status: head.status, echoedID: head.echoedID))
    case .body(let bytes):
      // Enough to hold who answers, or what is expected; the rest is only counted.
      let room = (matcher == nil ? 64 : BodyMatcher.bound) - body.readableBytes
      if var part = bytes.getSlice(at: bytes.readerIndex, length: max(0, min(room, bytes.readableBytes))) {
        body.writeBuffer(&part)
      }
      apply(.body(bytes: bytes.readableBytes))
    case .end:
      observeBody()
      apply(.end)
    case .bytesBehind:
      observeBody()
      apply(.bytesBehind)
    case .closed:
      apply(.closed)
    case .reset: apply(.reset)
    case .malformed: apply(.malformed)
    }
  }

  /// Bytes without a request: they lie behind the answer before, or are an answer that was not asked for.
  ///
  /// The next request must not be answered by them.
  private func sawBytesBehind(on channel: any Channel) {
    self.channel = nil
    channel.close(promise: nil)
    guard wasAnswered else { return }
    wasAnswered = false
    tally.tally.recant()
    observations.recant()
  }

  private func observeBody() {
    if let matcher, !matcher.matches(body) { apply(.unexpectedBody) }
    observeOwner()
  }

  private func observeOwner() {
    guard body.readableBytes > 0 else { return }
    if let known, known.body == body {
      answered(known.identity.pid)
    } else if let identity = ServerIdentity(body: String(buffer: body)) {
      known = (body, identity)
      answered(identity.pid)
      observations.sighted(identity, at: .now())
    }
  }

  private func answered(_ pid: ProcessID) {
    if owner?.pid != pid { owner = (pid, .now()) }
  }

  private func apply(_ event: RequestStateMachine.Event) {
    guard let outcome = request?.receive(event) else { return }
    request = nil
    timer?.cancel()
    timer = nil
    count(outcome)
    wasAnswered = outcome == .answered
    let complete = wasAnswered || outcome == .failed(.badStatus) || outcome == .failed(.wrongBody)
    if complete && announcesClose { tally.tally.sawAnnouncedClose() }
    if mode == .new || announcesClose || !complete || event == .malformed {
      let last = channel
      channel = nil
      last?.close(promise: nil)
    }
    if stopped != nil {
      leave()
    } else if case .notSent = outcome {
      // Trying on would fill the machine's log and nothing else; the director ends the load.
      hasStopped = true
    } else {
      waitAndBegin()
    }
  }

  private func count(_ outcome: RequestOutcome) {
    var outcome = outcome
    let now = NIODeadline.now()
    switch outcome {
    case .failed(.refused):
      if observations.stops.turnsAway(from: startedAt, to: now) { outcome = .turnedAway }
    case .failed(.reset), .failed(.closedBeforeByte), .failed(.cutShort), .failed(.timedOut):
      if let owner, observations.wasKilledByUs(owner.pid, since: owner.since) { outcome = .failed(.ownerKilled) }
    case .answered, .notSent, .turnedAway, .failed: break
    }
    tally.tally.ended(
      outcome, in: observations.windows.phase(from: startedAt, to: now), after: (now - startedAt).nanoseconds)
    observations.count(outcome)
  }
}
