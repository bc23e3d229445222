package import GracefulProcesses
package import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// One request outside the load, to learn whether it is answered, by which process, and what answers look like.
package struct Probe: Sendable {
  /// What came back.
  package struct Answer: Hashable, Sendable {
    package var status: Int
    package var echoedID: String?
    package var body: String
    package var length: Int
    /// Where a redirect leads.
    package var location: String?
    /// Whom the answer names as its process, in a header or in its body.
    package var word = AnswerWord()

    package var isGood: Bool { (200..<300).contains(status) }
  }

  /// What became of it.
  package enum Sight: Hashable, Sendable {
    /// A whole answer, the address that it came from, and the processes that had the other end of its connection.
    case answer(Answer, from: SocketAddress?, holders: [ProcessEntry])
    /// No answer, in words.
    case silence(String)

    var isGood: Bool {
      switch self {
      case .answer(let answer, _, _): answer.isGood
      case .silence: false
      }
    }
  }

  private let settings: LoadSettings

  package init(_ settings: LoadSettings) {
    self.settings = settings
  }

  /// A complete answer within the limit, or `nil`.
  package func ask(id: String) async -> Answer? {
    guard case .answer(let answer, _, _) = await look(id: id) else { return nil }
    return answer
  }

  /// Whether it answers with 2xx.
  package func isAnswered() async -> Bool { await look().isGood }

  /// Asks once.
  ///
  /// - Parameters:
  ///   - onAnyAddress: Whether every address of the host is tried, and not only that of the settings.
  ///   - holders: Looks for the processes that have the other end of the connection, before the request and after the
  ///     answer: a server may close it with its answer, or give it to another process for it.
  package func look(
    id: String = "probe", onAnyAddress: Bool = false, holders: (@Sendable (ServerEnd) -> [ProcessEntry])? = nil
  ) async -> Sight {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let promise = loop.makePromise(of: Answer.self)
    let settings = self.settings
    let deadline = NIODeadline.now() + settings.limit
    let timer = loop.scheduleTask(deadline: deadline) { promise.fail(Trouble("no whole answer in time")) }
    defer { timer.cancel() }
    let bootstrap = ClientBootstrap(group: loop).connectTimeout(settings.limit).channelInitializer { channel in
      channel.eventLoop.makeCompletedFuture {
        let collector = AnswerCollector(promise)
        try channel.pipeline.syncOperations.addClient { collector.receive($0) }
      }
    }
    let channel: any Channel
    do {
      let isName = (try? SocketAddress(ipAddress: settings.url.host, port: settings.url.port)) == nil
      if onAnyAddress && isName {
        channel = try await bootstrap.connect(host: settings.url.host, port: settings.url.port).get()
      } else {
        channel = try await bootstrap.connect(to: settings.address).get()
      }
    } catch {
      promise.fail(error)
      return .silence(Trouble.words(error, at: settings.address))
    }
    let address = channel.remoteAddress
    let end = holders == nil ? nil : ServerEnd(channel)
    var before: [ProcessEntry] = []
    if let end, await end.waitForAccept(within: .milliseconds(100)) { before = holders?(end) ?? [] }
    let head = HTTPRequestHead(
      version: .http1_1, method: .GET, uri: settings.url.path,
      headers: ["Host": settings.url.authority, "X-Request-Id": id])
    channel.write(HTTPClientRequestPart.head(head), promise: nil)
    channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
    let sight: Sight
    do {
      let answer = try await promise.futureResult.get()
      let after = end.flatMap { holders?($0) } ?? []
      sight = .answer(answer, from: address, holders: after.isEmpty ? before : after)
    } catch {
      sight = .silence(Trouble.words(error, at: address))
    }
    try? await channel.close()
    return sight
  }

  /// The length that answers have, when three of them agree and none says whose it is by other means.
  package func usualLength() async -> Int? {
    var lengths: Set<Int> = []
    for number in 1...3 {
      guard let answer = await ask(id: "probe-\(number)"), answer.echoedID == nil,
        ServerIdentity(body: answer.body) == nil
      else { return nil }
      lengths.insert(answer.length)
    }
    return lengths.count == 1 ? lengths.first : nil
  }
}

/// Why there was no answer.
private struct Trouble: Error {
  var words: String

  init(_ words: String) { self.words = words }

  static func words(_ error: any Error, at address: SocketAddress?) -> String {
    let place = address.flatMap { Self.place($0, port: $0.port) }
    if let trouble = error as? Trouble { return trouble.words + (place.map { " at \($0)" } ?? "") }
    guard let failed = error as? NIOConnectionError else { return "\(cause(error)) at \(place ?? "its address")" }
    let each = failed.connectionErrors.map { failure in
      "\(cause(failure.error)) at \(Self.place(failure.target, port: failed.port) ?? failed.host)"
    }
    return each.isEmpty ? "\(failed.host) has no address" : each.joined(separator: ", ")
  }

  private static func cause(_ error: any Error) -> String {
    switch RequestStateMachine.ConnectFailure.from(error) {
    case .refused: "connection refused"
    case .reset: "connection reset"
    case .timedOut: "no connection in time"
    case .ownMachine: "\(error)"
    }
  }

  private static func place(_ address: SocketAddress, port: Int?) -> String? {
    address.ipAddress.map { ip in (ip.contains(":") ? "[\(ip)]" : ip) + (port.map { ":\($0)" } ?? "") }
  }
}

/// Collects one answer, on its event loop.
private final class AnswerCollector {
  private static let bound = 256
  private let promise: EventLoopPromise<Probe.Answer>
  private var answer: Probe.Answer?
  private var headers = HTTPHeaders()

  init(_ promise: EventLoopPromise<Probe.Answer>) {
    self.promise = promise
  }

  func receive(_ event: ConnectionEvent) {
    switch event {
    case .firstByte: break
    case .head(let head):
      headers = head.headers
      answer = Probe.Answer(
        status: head.status, echoedID: head.echoedID, body: "", length: 0,
        location: head.headers.first(name: "location"))
    case .body(let bytes):
      answer?.length += bytes.readableBytes
      if let body = answer?.body, body.utf8.count < Self.bound {
        answer?.body += String(buffer: bytes).prefix(Self.bound)
      }
    case .end, .bytesBehind:
      guard var answer else { return }
      answer.word = AnswerWord(headers, body: answer.body)
      promise.succeed(answer)
    case .closed: promise.fail(Trouble(answer == nil ? "closed without an answer" : "closed within the answer"))
    case .reset: promise.fail(Trouble("connection reset"))
    case .malformed(let complaint): promise.fail(Trouble("an answer that is not HTTP (\(complaint))"))
    }
  }
}
