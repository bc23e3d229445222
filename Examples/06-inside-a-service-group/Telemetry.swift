import ServiceLifecycle

/// A service of the group, which knows nothing of Graceful: what is sent last of all.
struct Telemetry: Service {
  func run() async throws {
    try await gracefulShutdown()
    print("telemetry: sent, that of the shop too")
  }
}
