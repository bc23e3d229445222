import GracefulTesting
import ServiceLifecycle

/// A service of swift-service-lifecycle that knows nothing of Graceful, and records what happens to it.
///
/// The events: `started`, `told` (by its graceful shutdown) or `cancelled`, whichever came first, and `ended`.
struct ScriptedService: Service {
  let name: String
  let recorder: Recorder
  /// Until it is told, unless another is given; what comes back first ends `run`.
  var work: @Sendable () async throws -> Void = { await untilTold() }
  /// What it does once it was told.
  var cleanup: @Sendable () async throws -> Void = {}

  func run() async throws {
    recorder.record("\(name): started")
    defer { recorder.record("\(name): ended") }
    try await withGracefulShutdownHandler {
      try await withTaskCancellationHandler {
        try await work()
      } onCancel: {
        recorder.record("\(name): cancelled")
      }
    } onGracefulShutdown: {
      recorder.record("\(name): told")
    }
    try await cleanup()
  }

  /// Returns at the graceful shutdown, or at the cancellation.
  static func untilTold() async { try? await gracefulShutdown() }

  /// Returns at the cancellation only.
  static func untilCancelled() async {
    for await _ in AsyncStream<Never>.makeStream().stream {}
  }
}
