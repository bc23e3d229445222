import Graceful
import NIOCore
import NIOHTTP1
import NIOPosix

@main struct Shop {
  static func main() async {
    let database = Database()
    let pipeline = Pipeline(into: database)
    let shop = Lifecycle("shop", grace: .seconds(25))

    let storage = shop.phase("database") { phase in
      await database.open()
      phase.ready()
      await phase.turnToStop()  // the queue is empty
      let written = await database.close()
      print("database: closed; accepted \(pipeline.accepted) orders, written \(written)")
      // A phase that throws has failed: exit code 1.
      if written != pipeline.accepted { throw Lost(orders: pipeline.accepted - written) }
    }

    let queue = shop.phase("pipeline", requires: storage, service: pipeline)

    shop.phase("web", requires: queue) { phase in
      let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.configureHTTPServerPipeline()
            try channel.pipeline.syncOperations.addHandler(OrderHandler(web: phase, pipeline: pipeline))
          }
        }
        .bind(host: "127.0.0.1", port: 0).get()
      print("web: http://127.0.0.1:\(listener.localAddress?.port ?? 0)/orders")

      phase.ready()
      await phase.drainRequested()
      try await listener.close()  // no new connections
      await phase.turnToStop()  // every request has been answered
      print("web: closed")
    }

    await shop.runAndExit(on: .signals)
  }

  struct Lost: Error {
    var orders: Int
  }
}
