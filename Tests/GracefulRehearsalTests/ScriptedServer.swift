import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A server that does to each request what it is told, and counts what it did.
final class ScriptedServer: Sendable {
  enum Behavior: String, Hashable, Sendable {
    case answer
    case answerAndClose
    /// `Connection: close` on the answer, then the close.
    case announceAndClose
    case closeBeforeByte
    case reset
    case cutBody
    case cutHead
    case silence
    case serverError
    case wrongID
    case noID
    case wrongLength
    case garbage
    /// Bytes behind the answer, in one write with it.
    case bytesBehind
    /// A whole second answer, in one write with the first.
    case secondAnswer
    /// One byte behind the answer, which a parser takes for an empty line.
    case lineBehind
    /// A second answer that comes when the first is long read.
    case lateAnswer
    case redirect
  }

  private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  private let channel: any Channel

  /// - Parameter script: What is done to the n-th request (from 1 on, over all connections).
  init(_ script: @escaping @Sendable (Int) -> Behavior) async throws {
    let number = RequestNumbers()
    let counts = BehaviorCounts()
    self.counts = counts
    channel = try await ServerBootstrap(group: group)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelOption(.backlog, value: 256)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandlers([
            ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)),
            Doer(number: number, counts: counts, script: script),
          ])
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
  }

  private let counts: BehaviorCounts
  var port: Int { channel.localAddress?.port ?? 0 }

  func count(_ behavior: Behavior) -> Int { counts.value(behavior) }

  func end() async {
    try? await channel.close()
    try? await group.shutdownGracefully()
  }
}

final class RequestNumbers: Sendable {
  private let value = Atomic<Int>(0)
  func next() -> Int { value.add(1, ordering: .relaxed).newValue }
}

final class BehaviorCounts: Sendable {
  private let counts = Mutex<[ScriptedServer.Behavior: Int]>([:])
  func add(_ behavior: ScriptedServer.Behavior) { counts.withLock { $0[behavior, default: 0] += 1 } }
  func value(_ behavior: ScriptedServer.Behavior) -> Int { counts.withLock { $0[behavior] ?? 0 } }
}

/// Writes bytes, not HTTP parts: it must be able to be wrong.
private final class Doer: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = ByteBuffer
  private let number: RequestNumbers
  private let counts: BehaviorCounts
  private let script: @Sendable (Int) -> ScriptedServer.Behavior
  private var id = ""

  init(number: RequestNumbers, counts: BehaviorCounts, script: @escaping @Sendable (Int) -> ScriptedServer.Behavior) {
    self.number = number
    self.counts = counts
    self.script = script
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): id = head.headers.first(name: "x-request-id") ?? ""
    case .body: break
    case .end:
      let behavior = script(number.next())
      counts.add(behavior)
      perform(behavior, context)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private func perform(_ behavior: ScriptedServer.Behavior, _ context: ChannelHandlerContext) {
    switch behavior {
    case .answer: write(context, answer())
    case .answerAndClose:
      write(context, answer())
      context.close(promise: nil)
    case .announceAndClose:
      write(context, answer(more: "Connection: close\r\n"))
      context.close(promise: nil)
    case .closeBeforeByte: context.close(promise: nil)
    case .reset:
      // SO_LINGER 0: the close is a reset (socket(7)).
      let channel = context.channel
      guard let options = channel as? any SocketOptionProvider else { return }
      options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in channel.close(promise: nil) }
    case .cutBody:
      write(context, "HTTP/1.1 200 OK\r\nX-Request-Id: \(id)\r\nContent-Length: 5\r\n\r\nhel")
      context.close(promise: nil)
    case .cutHead:
      write(context, "HTTP/1.1 200 OK\r\nX-Requ")
      context.close(promise: nil)
    case .silence: break
    case .serverError: write(context, answer(status: "500 Internal Server Error"))
    case .wrongID: write(context, answer(id: "somebody-else"))
    case .noID: write(context, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
    case .wrongLength: write(context, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhel")
    case .bytesBehind: write(context, answer() + "EXTRA")
    case .secondAnswer: write(context, answer() + answer())
    case .lineBehind: write(context, answer() + "\n")
    case .lateAnswer:
      write(context, answer())
      let (second, channel) = (answer(), context.channel)
      context.eventLoop.scheduleTask(in: .milliseconds(1)) {
        channel.writeAndFlush(ByteBuffer(string: second), promise: nil)
      }
    case .redirect: write(context, "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n")
    case .garbage: write(context, "this is not HTTP\r\n\r\n")
    }
  }

  private func answer(status: String = "200 OK", id: String? = nil, more: String = "") -> String {
    "HTTP/1.1 \(status)\r\nX-Request-Id: \(id ?? self.id)\r\n\(more)Content-Length: 5\r\n\r\nhello"
  }

  private func write(_ context: ChannelHandlerContext, _ text: String) {
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
  }
}
