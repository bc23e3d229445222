import ServiceLifecycle

// What the samples of the guides are about: the parts of a program that are not ours.

struct Order: Sendable {
  var item = "apples"
}

struct Pool: Sendable {
  static func open() async throws -> Pool { Pool() }
  func migrate() async throws {}
  func write(_ order: Order) async throws {}
  func close() async {}
}

/// A service of swift-service-lifecycle that does what most do: waits for its graceful shutdown.
protocol WaitingService: Service {}

extension WaitingService {
  func run() async throws { try await gracefulShutdown() }
}

struct Pipeline: WaitingService {}
struct WebServer: WaitingService {}
struct Telemetry: WaitingService {}

/// A client library, as it is without Graceful.
struct Broker: Sendable {
  func connect() async throws {}
  func publish(_ order: Order) async throws {}
  func close() async {}
}
