import Graceful
import NIOCore
import NIOPosix

@main struct Echo {
  static func main() async {
    let echo = Lifecycle("echo", grace: .seconds(10))

    echo.phase("listener") { phase in
      let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(LineReader())
            let connection = try Connection(wrappingChannelSynchronously: channel)
            // Here, because NIO's sequence of connections traps when it ends while one comes in (see the README).
            Task { try await answer(connection, in: phase) }
          }
        }
        .bind(host: "127.0.0.1", port: 0).get()
      print("listening on 127.0.0.1:\(listener.localAddress?.port ?? 0)")

      phase.ready()
      await phase.drainRequested()
      try await listener.close()  // no new connections
      await phase.turnToStop()  // no connections any more
    }

    await echo.runAndExit(on: .signals)
  }

  typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

  /// A connection is a session, until it is closed: the phase waits for it, and names it when it does not end.
  static func answer(_ connection: Connection, in phase: Phase) async throws {
    let client = "client \(connection.channel.remoteAddress?.port ?? 0)"
    do {
      try await phase.withSession(client, cancellable: true) {
        try await connection.executeThenClose { lines, answers in
          try await phase.withHandler(at: .drain) {
            connection.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
          } operation: {
            for try await line in lines { try await answers.write(line) }
          }
        }
      }
    } catch is PhaseError {
      try await connection.executeThenClose { _, _ in }  // it came too late, and was refused
    }
  }
}
