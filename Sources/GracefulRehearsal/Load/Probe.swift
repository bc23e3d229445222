internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// One request outside the load, to learn whether it is answered and what answers look like.
package struct Probe: Sendable {
  /// What came back.
  package struct Answer: Hashable, Sendable {
    package var status: Int
    package var echoedID: String?
    package var body: String
    package var length: Int
  }

  private let settings: LoadSettings

  package init(_ settings: LoadSettings) {
    self.settings = settings
  }

  /// A complete answer within the limit, or `nil`.
  package func ask(id: String) async -> Answer? {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let promise = loop.makePromise(of: Answer?.self)
    let settings = self.settings
    let timer = loop.scheduleTask(in: settings.limit) { promise.succeed(nil) }
    let connection = ClientBootstrap(group: loop)
      .connectTimeout(settings.limit)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let collector = AnswerCollector(promise)
          try channel.pipeline.syncOperations.addHandlers([
            HTTPRequestEncoder(), ResponseDecoding.handler(),
            ResponseHandler { collector.receive($0) },
          ])
        }
      }
      .connect(to: settings.address)
    connection.whenComplete { result in
      guard case .success(let channel) = result else { return promise.succeed(nil) }
      let head = HTTPRequestHead(
        version: .http1_1, method: .GET, uri: settings.url.path,
        headers: ["Host": settings.url.authority, "X-Request-Id": id])
      channel.write(HTTPClientRequestPart.head(head), promise: nil)
      channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
    }
    let answer = try? await promise.futureResult.get()
    timer.cancel()
    if let channel = try? await connection.get() { try? await channel.close() }
    return answer ?? nil
  }

  /// Whether it answers with 2xx.
  package func isAnswered() async -> Bool {
    guard let answer = await ask(id: "probe") else { return false }
    return (200..<300).contains(answer.status)
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

/// Collects one answer, on its event loop.
private final class AnswerCollector {
  private let promise: EventLoopPromise<Probe.Answer?>
  private var answer: Probe.Answer?

  init(_ promise: EventLoopPromise<Probe.Answer?>) {
    self.promise = promise
  }

  func receive(_ event: ConnectionEvent) {
    switch event {
    case .firstByte: break
    case .head(let status, let id, _): answer = Probe.Answer(status: status, echoedID: id, body: "", length: 0)
    case .body(let bytes):
      answer?.length += bytes.readableBytes
      if let body = answer?.body, body.utf8.count < 256 { answer?.body += String(buffer: bytes).prefix(256) }
    case .end: promise.succeed(answer)
    case .closed, .reset, .malformed: promise.succeed(nil)
    }
  }
}
