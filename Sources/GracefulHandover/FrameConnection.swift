internal import GracefulDescriptors
internal import Synchronization
internal import SystemPackage

/// One end of a handover's connection: bytes and descriptors in and out, on the poll loop's thread, without blocking.
///
/// It holds what it sends until it is sent, and what it received until somebody takes it: whatever happens, each
/// descriptor is closed exactly once.
final class FrameConnection: Sendable {
  enum Event: Sendable {
    case preamble(Preamble)
    case frame(Frame, [SharedDescriptor])
    case malformed(String)
    case closed
    case peerDied
  }

  private struct Outgoing {
    var bytes: ArraySlice<UInt8>
    var descriptors: [SharedDescriptor]
  }

  private struct State {
    var socket: SharedDescriptor?
    var process: SharedDescriptor?
    var socketWatch: PollLoop.WatchID?
    var processWatch: PollLoop.WatchID?
    var decoder = FrameDecoder()
    var outgoing: [Outgoing] = []
    var received: [SharedDescriptor] = []
    var isClosing = false
    var isReading = true
  }

  /// More than two full messages of descriptors never wait for their frame.
  private static let descriptorLimit = 2 * SocketCalls.descriptorsAMessage
  private static let readCount = 64 * 1024
  private static let strays = "descriptors that belong to no message"
  private static let lost = "descriptors were lost on the way, because this process may open no more (RLIMIT_NOFILE)"

  let peer: Peer
  private let loop: PollLoop
  private let calls: SocketCalls
  private let onEvent: @Sendable (Event) -> Void
  private let state: Mutex<State>

  /// - Parameter onEvent: called on the loop's thread only; nothing after ``close()``.
  init(
    _ socket: SharedDescriptor, peer: Peer, loop: PollLoop, calls: SocketCalls,
    onEvent: @escaping @Sendable (Event) -> Void
  ) {
    self.peer = peer
    self.loop = loop
    self.calls = calls
    self.onEvent = onEvent
    let pidfd = calls.peerProcess(socket.number)
    let process = pidfd >= 0 ? SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: pidfd))) : nil
    state = Mutex(State(socket: socket, process: process))
  }

  /// Goes on with a connection that was given away.
  init(_ given: Detached, loop: PollLoop, onEvent: @escaping @Sendable (Event) -> Void) {
    peer = given.peer
    self.loop = loop
    calls = given.calls
    self.onEvent = onEvent
    state = Mutex(State(socket: given.socket, process: given.process, decoder: given.decoder))
  }

  deinit {
    // Whoever lets go of a connection without closing it must not leave the loop with a number that is closed.
    let watches = state.withLock { [$0.socketWatch, $0.processWatch] }
    for watch in watches { if let watch { loop.unwatch(watch) } }
  }

  /// Begins to read.
  ///
  /// On the loop's thread.
  func start() {
    state.withLock { state in
      guard let socket = state.socket, state.isReading, state.socketWatch == nil else { return }
      state.socketWatch = loop.watch(socket.number, .readable) { [weak self] in self?.ready($0) }
    }
  }

  /// Reports the death of the process at the other end from now on, not only the end of the connection.
  ///
  /// - Parameter process: the number by which the peer calls itself; nil takes the system's word for who it is. On the
  ///   side that connected, the system names the process that called listen(2) last (unix(7), SO_PEERCRED), which may
  ///   be an earlier generation than the one that answers, and dead. Then only the end of the connection counts.
  func watchProcess(calledItself process: Int32? = nil) {
    state.withLock { state in
      if let process, process != peer.process { state.process = nil }
      guard let process = state.process, state.processWatch == nil else { return }
      state.processWatch = loop.watch(process.number, .readable) { [weak self] _ in self?.processEnded() }
    }
  }

  /// Sends when there is room, after what was queued before.
  func send(_ bytes: [UInt8], _ descriptors: [SharedDescriptor] = []) {
    state.withLock { state in
      guard state.socket != nil, !state.isClosing else { return }
      state.outgoing.append(Outgoing(bytes: bytes[...], descriptors: descriptors))
    }
    flush()
  }

  func send(_ message: Message, _ descriptors: [SharedDescriptor] = []) {
    send(Frame(message).encoded, descriptors)
  }

  /// Sends what is queued, for a second at the most, then closes.
  ///
  /// No event comes after this.
  func close() {
    let waits = state.withLock { state in
      state.isClosing = true
      return !state.outgoing.isEmpty
    }
    guard waits else { return closeNow() }
    _ = loop.schedule(at: .now + .seconds(1)) { [self] in closeNow() }
    flush()
  }

  /// Gives the connection away, with what has been received of it, so that it can go on elsewhere, on another loop.
  ///
  /// No event comes after this, and what was queued to be sent is lost. On the loop's thread.
  func detach() -> Detached? {
    let (given, watches) = state.withLock { state -> (Detached?, [PollLoop.WatchID?]) in
      let given = state.socket.map {
        Detached(socket: $0, process: state.process, decoder: state.decoder, peer: peer, calls: calls)
      }
      defer { state = State(socket: nil, process: nil, isClosing: true, isReading: false) }
      return (given, [state.socketWatch, state.processWatch])
    }
    for watch in watches { if let watch { loop.unwatch(watch) } }
    return given
  }

  /// Whether something that was given to be sent has not been.
  var hasUnsent: Bool { state.withLock { !$0.outgoing.isEmpty } }

  /// SIGKILL to the process at the other end: to that one, never to one that has its number now.
  ///
  /// - Returns: false when the system gave no descriptor of that process.
  func kill() -> Bool {
    guard let process = state.withLock({ $0.process }) else { return false }
    return calls.signalProcess(process.number, 9) >= 0
  }

  private func closeNow() {
    let (socket, watches) = state.withLock { state in
      let watches = [state.socketWatch, state.processWatch]
      defer { state = State(socket: nil, process: nil, isClosing: true, isReading: false) }
      return (state.socket, watches)
    }
    for watch in watches { if let watch { loop.unwatch(watch) } }
    // The last reference, so that the watch is gone from the loop before the descriptor's number can be used again.
    loop.execute { _ = socket }
  }

  /// After an error that passes, or does not: the loop must not spin on it, and only a deadline or the end decides.
  private func lookAgain() {
    state.withLock { state in
      if let watch = state.socketWatch { loop.unwatch(watch) }
      state.socketWatch = nil
    }
    _ = loop.schedule(at: .now + .milliseconds(10)) { [weak self] in
      self?.start()
      self?.flush()
    }
  }

  private func ready(_ readiness: PollLoop.Readiness) {
    if readiness.contains(.writable) { flush() }
    if state.withLock({ $0.isReading }) {
      // Level-triggered: what is left after these rounds is reported again, when timers and others have had their turn.
      if !readiness.isDisjoint(with: [.readable, .hangup, .error, .invalid]) { read(rounds: 8) }
    } else if !readiness.isDisjoint(with: [.hangup, .error, .invalid]) {
      ended()
    }
  }

  private func processEnded() {
    state.withLock { state in
      if let watch = state.processWatch { loop.unwatch(watch) }
    }
    // What the process had said before it died is in the socket, and its end of it is closed by now. Far more rounds
    // than a socket can hold, and still an end, if a child of the dead process holds the other end and writes on.
    read(rounds: 1024)
    if state.withLock({ !$0.isClosing }) { onEvent(.peerDied) }
  }

  // MARK: Writing

  private func flush() {
    while true {
      guard let socket = state.withLock({ $0.socket }), let next = state.withLock({ $0.outgoing.first }) else { break }
      let sent = calls.send(socket.number, next.bytes, next.descriptors.map(\.number))
      if sent < 0 {
        let errno = Errno(rawValue: CInt(-sent))
        if errno == .wouldBlock || errno == .resourceTemporarilyUnavailable { return wantWritable(true) }
        // EPIPE and ECONNRESET are the reader's to report, after what the peer has said before it went.
        let hasEnded = errno == .brokenPipe || errno == .connectionReset
        // Bytes alone fail for want of memory. Dropping a commit or its acknowledgement would leave both sides waiting.
        if !hasEnded, next.descriptors.isEmpty { return lookAgain() }
        state.withLock { $0.outgoing = [] }
        if !hasEnded { report(.malformed("sendmsg failed: \(errno)")) }
        break
      }
      state.withLock { state in
        guard !state.outgoing.isEmpty else { return }
        // The descriptors went with the first byte.
        state.outgoing[0].descriptors = []
        state.outgoing[0].bytes.removeFirst(sent)
        if state.outgoing[0].bytes.isEmpty { state.outgoing.removeFirst() }
      }
    }
    wantWritable(false)
    if state.withLock({ $0.isClosing && $0.outgoing.isEmpty && $0.socket != nil }) { closeNow() }
  }

  private func wantWritable(_ wanted: Bool) {
    state.withLock { state in
      guard let watch = state.socketWatch else { return }
      let reading: PollLoop.Interest = state.isReading ? [.readable] : []
      loop.update(watch, wanted ? reading.union(.writable) : reading)
    }
  }

  // MARK: Reading

  private func read(rounds: Int) {
    for _ in 0..<rounds {
      guard let socket = state.withLock({ $0.isReading ? $0.socket : nil }) else { return }
      let received = calls.receive(socket.number, Self.readCount)
      let descriptors = received.descriptors.map {
        SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: $0)))
      }
      if received.result < 0 {
        let errno = Errno(rawValue: CInt(-received.result))
        if errno == .wouldBlock || errno == .resourceTemporarilyUnavailable { return }
        // Only the end is the end: a successor that took another error for it would accept beside a predecessor that lives.
        return errno == .connectionReset || errno == .brokenPipe ? ended() : lookAgain()
      }
      let tooMany = state.withLock { state in
        state.received += descriptors
        state.decoder.append(received.bytes)
        return state.received.count > Self.descriptorLimit
      }
      if received.truncated { return broken(Self.lost) }
      if tooMany { return broken("more descriptors than belong to one message") }
      decode()
      if received.result == 0 { return ended() }
    }
  }

  /// Reports what was complete when the connection was given away.
  ///
  /// On the loop's thread.
  func decodeHeld() { decode() }

  private func decode() {
    while true {
      do {
        guard let output = try state.withLock({ try $0.decoder.next() }) else { return }
        switch output {
        case .preamble(let preamble):
          guard !hasStrays else { return broken(Self.strays) }
          report(.preamble(preamble))
        case .frame(let frame):
          let descriptors = take(frame.descriptorCount)
          guard !hasStrays else { return broken(Self.strays) }
          report(.frame(frame, descriptors))
        }
      } catch {
        return broken("\(error)")
      }
    }
  }

  /// Descriptors that are left when no byte of another frame is here belong to none.
  ///
  /// recvmsg(2) ends at a message with descriptors, so that nothing behind that message can be here yet. Kept, they
  /// would be taken for those of the next labels.
  private var hasStrays: Bool { state.withLock { $0.decoder.held == 0 && !$0.received.isEmpty } }

  private func take(_ count: Int) -> [SharedDescriptor] {
    state.withLock { state in
      let taken = Array(state.received.prefix(count))
      state.received.removeFirst(taken.count)
      return taken
    }
  }

  /// Nothing more is read, but the end is still looked for: whoever waits for it would wait for ever where the system
  /// gives no descriptor of the peer's process.
  private func broken(_ reason: String) {
    let isWriting = state.withLock { state in
      state.isReading = false
      state.received = []
      return !state.outgoing.isEmpty
    }
    wantWritable(isWriting)
    report(.malformed(reason))
  }

  private func ended() {
    state.withLock { state in
      state.isReading = false
      state.received = []
      // Not only a wish for nothing: poll(2) reports a hang-up whatever is asked for, and the loop would spin.
      if let watch = state.socketWatch { loop.unwatch(watch) }
      state.socketWatch = nil
    }
    report(.closed)
    // Where the peer's process is not watched, the end of the connection is all there will ever be.
    if state.withLock({ $0.processWatch == nil }) { report(.peerDied) }
  }

  private func report(_ event: Event) {
    if state.withLock({ !$0.isClosing }) { onEvent(event) }
  }
}

extension Frame {
  /// How many descriptors belong to it.
  fileprivate var descriptorCount: Int {
    if case .message(.descriptors(let labels)) = message() { return labels.count }
    return 0
  }
}
