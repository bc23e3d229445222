import ServiceLifecycle
import Synchronization

/// Takes orders into a queue, transforms them, and writes them.
///
/// A service as swift-service-lifecycle knows it; of Graceful it knows nothing.
final class Pipeline: Service {
  private let database: Database
  private let (orders, queue) = AsyncStream.makeStream(of: String.self)
  private let counts = Mutex((accepted: 0, waiting: 0))

  /// How many orders it has taken.
  var accepted: Int { counts.withLock { $0.accepted } }

  init(into database: Database) { self.database = database }

  func accept(_ order: String) {
    counts.withLock { $0 = ($0.accepted + 1, $0.waiting + 1) }
    queue.yield(order)
  }

  func run() async throws {
    try await withGracefulShutdownHandler {
      for await order in orders {
        try await database.write(order.uppercased())
        counts.withLock { $0.waiting -= 1 }
      }
    } onGracefulShutdown: {
      // Every producer has ended: what is in the queue is the rest.
      print("pipeline: \(self.counts.withLock { $0.waiting }) orders are in the queue")
      self.queue.finish()
    }
    print("pipeline: the queue is empty")
  }
}
