import ServiceLifecycle

/// A service as swift-service-lifecycle knows it; of Graceful it knows nothing.
struct Greeter: Service {
  func run() async throws {
    print("Hello. Stop me with SIGTERM or ^C.")
    try await gracefulShutdown()
    print("Goodbye.")
  }
}
