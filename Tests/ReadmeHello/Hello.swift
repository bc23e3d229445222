import Graceful
import GracefulNIO
import NIOCore
import NIOPosix

@main struct Hello {
  static func main() async {
    let hello = Lifecycle("hello", grace: .seconds(25))
    hello.phase("http") { phase in
      try await hello.withHandover(.init(socket: "/run/hello/socket"), for: phase, restartOn: .hangup) { handover in
        let listener = try handover.listener("http", on: ListenAddress(host: "127.0.0.1", port: 8080))
        let server = try await DrainingServer.adopt(
          listener, on: .singletonMultiThreadedEventLoopGroup, logger: hello.logger
        ) { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addDrainingHTTP1Server()
            try channel.pipeline.syncOperations.addHandler(Greeter())  // your handler of HTTP requests
          }
        }
        try await server.serve(in: phase, after: handover)
      }
    }
    await hello.runAndExit(on: .signals)
  }
}
