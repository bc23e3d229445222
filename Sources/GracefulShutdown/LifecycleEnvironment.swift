/// Everything that a lifecycle needs from outside the standard library: the one seam of this target.
///
/// The live one is the ladder in Graceful, on threads of its own; the manual one is in GracefulTesting. None of its
/// functions may need a thread of the cooperative pool, and only ``perform(_:)`` may run code that blocks (S9).
package protocol LifecycleEnvironment: Sendable {
  func now() -> ContinuousClock.Instant

  /// Calls `body` once, at `instant` or soon after. It does not block.
  func schedule(at instant: ContinuousClock.Instant, _ body: @escaping @Sendable () -> Void)

  /// Calls `body` soon, on a thread that it may block: it runs code of the user.
  func perform(_ body: @escaping @Sendable () -> Void)

  /// As ``perform(_:)``, for what cancels a task: it must not wait behind handlers that block.
  func performCancellation(_ body: @escaping @Sendable () -> Void)

  /// Puts around the body of every phase what code in it may look for: what another library binds to the task.
  func surround<Result: Sendable>(
    _ phase: Phase, _ body: @escaping @Sendable () async throws -> Result
  ) async throws -> Result

  /// The last words. Whoever does not read them must not hold up the exit.
  func write(report: LifecycleReport)

  /// Ends the process. `atOnce`: nothing of the program runs any more, no buffer is flushed (`_exit`).
  func exit(_ code: Int32, atOnce: Bool)
}

extension LifecycleEnvironment {
  package func performCancellation(_ body: @escaping @Sendable () -> Void) { perform(body) }

  package func surround<Result: Sendable>(
    _ phase: Phase, _ body: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    try await body()
  }
}
