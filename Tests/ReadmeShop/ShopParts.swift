import ServiceLifecycle

// What the first program of the README is about: the parts that are not ours.

struct Pool: Sendable {
  static func open() async throws -> Pool { Pool() }
  func close() async {}
}

struct Pipeline: Service {
  func run() async throws { try await gracefulShutdown() }
}

struct WebServer: Service {
  func run() async throws { try await gracefulShutdown() }
}
