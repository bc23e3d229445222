import Graceful
import ServiceLifecycle

// *Adopting in a library*.

/// As a service: nothing of Graceful in it.
struct Consumer: Service {
  let messages: AsyncStream<Order>
  let pool: Pool

  func run() async throws {
    await cancelWhenGracefulShutdown {
      for await message in messages { try? await pool.write(message) }
    }
  }
}

/// The same, and it says when it is ready.
struct EagerConsumer: Service {
  let broker: Broker

  func run() async throws {
    try await broker.connect()
    Phase.current?.ready()
    try await gracefulShutdown()
    await broker.close()
  }
}

func addingTheConsumer(_ shop: Lifecycle, _ broker: Broker) {
  shop.phase("consumer", startLimit: .seconds(10), readiness: .explicit, service: EagerConsumer(broker: broker))
}

/// As a phase that the library adds.
extension Lifecycle {
  /// Adds a phase that connects to a broker, and closes the connection when no phase needs it any more.
  @discardableResult
  func broker(_ broker: Broker, requires: some PhaseRequirement = .nothing) -> PhaseHandle {
    phase("broker", requires: requires, startLimit: .seconds(10), limit: .seconds(3)) { phase in
      try await broker.connect()
      phase.ready()
      await phase.turnToStop()
      await broker.close()
    }
  }
}

/// Deep in a library, which was handed nothing.
extension Broker {
  func send(_ order: Order) async throws {
    guard let phase = Phase.current else { return try await publish(order) }
    try await phase.withSession("send to the broker") { try await publish(order) }
  }

  func sendAll(_ orders: [Order]) async throws -> Int {
    try await withPhase("send all", limit: .seconds(2)) { phase in
      var sent = 0
      for order in orders where !phase.isStopRequested {
        try await publish(order)
        sent += 1
      }
      return sent
    }
  }
}

/// Where the task knows of no phase.
func fromACallback(_ phase: Phase, _ consumer: Consumer) {
  Task.detached {
    try await phase.withGracefulShutdown { try await consumer.run() }
  }
}

/// As a lifecycle that the library brings.
enum SearchEngine {
  static func lifecycle(_ pool: Pool) -> Lifecycle {
    let engine = Lifecycle("search engine", grace: .seconds(10))
    let index = engine.phase("index", limit: .seconds(2)) { phase in
      try await pool.migrate()
      phase.ready()
      await phase.turnToStop()
    }
    engine.phase("api", requires: index, service: Consumer(messages: AsyncStream { nil }, pool: pool))
    return engine
  }
}

func holding(_ shop: Lifecycle, _ database: PhaseHandle, _ pool: Pool) -> PhaseHandle {
  let search = shop.phase("search", requires: database, lifecycle: SearchEngine.lifecycle(pool))
  return search
}
