import NIOCore
import NIOPosix
import Synchronization

/// Answers so many requests with 503, as a program does in a handover, and then says that it has stopped.
struct BusyServer {
  private let channel: any Channel

  var port: Int { channel.localAddress?.port ?? 0 }

  static func start(times: Int) async throws -> Self {
    let asked = Asked()
    let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Answering(asked: asked, times: times))
        }
      }
    return Self(channel: try await bootstrap.bind(host: "127.0.0.1", port: 0).get())
  }

  func end() async throws { try await channel.close() }

  private final class Asked: Sendable {
    private let count = Atomic(0)
    func next() -> Int { count.add(1, ordering: .relaxed).newValue }
  }

  private final class Answering: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let asked: Asked
    private let times: Int

    init(asked: Asked, times: Int) {
      self.asked = asked
      self.times = times
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      // A request of this size comes in one piece.
      let isBusy = asked.next() <= times
      let body = isBusy ? "{\"error\":\"a handover is going on\"}\n" : "{\"state\":\"stopped\"}\n"
      let head = isBusy ? "503 Service Unavailable\r\nRetry-After: 1" : "200 OK"
      let answer =
        "HTTP/1.1 \(head)\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n"
        + "Connection: close\r\n\r\n\(body)"
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
      context.close(promise: nil)
    }
  }
}
