/// Everything that a lifecycle needs from outside the standard library: the one seam of this target.
///
/// The live one is `LiveEnvironment` in Graceful, on threads of its own; the manual one is in GracefulTesting. None of its
/// functions may need a thread of the cooperative pool, and only ``perform(_:)`` and its like may run
/// code that blocks (S9).
package protocol LifecycleEnvironment: Sendable {
  func now() -> ContinuousClock.Instant

  /// The clock on the wall, for the report: no decision is taken by it, since it may be set at any time.
  func wallTime() -> UTCTime

  /// The number of this process.
  var processID: Int32 { get }

  /// Calls `body` once, at `instant` or soon after. It does not block.
  func schedule(at instant: ContinuousClock.Instant, _ body: @escaping @Sendable () -> Void)

  /// As ``schedule(at:_:)``, for what only looks whether there is something to say: nothing becomes due then.
  func remind(at instant: ContinuousClock.Instant, _ body: @escaping @Sendable () -> Void)

  /// Calls `body` soon, on the thread that performs what was decided: it neither blocks nor runs code of the user.
  ///
  /// A lifecycle has one such call going on at most.
  func performDecisions(_ body: @escaping @Sendable () -> Void)

  /// Calls `body` soon, on a thread that it may block: it runs code of the user.
  func perform(_ body: @escaping @Sendable () -> Void)

  /// As ``perform(_:)``, for what cancels a task: it must not wait behind handlers that block.
  func performCancellation(_ body: @escaping @Sendable () -> Void)

  /// As ``perform(_:)``, for a log handler: the last entries must not wait behind handlers of phases that block.
  func performLogging(_ body: @escaping @Sendable () -> Void)

  /// As ``perform(_:)``, for the backends of metrics and spans: a backend that blocks must hold up neither handlers nor the
  /// log.
  func performObservation(_ body: @escaping @Sendable () -> Void)

  /// Blocks this thread until something is done, or the limit is over; only before an exit at once.
  func wait(atMost limit: Duration, until isDone: () -> Bool)

  /// Puts around the body of every phase what code in it may look for: what another library binds to the task.
  func surround<Result: Sendable>(
    _ phase: Phase, _ body: @escaping @Sendable () async throws -> Result
  ) async throws -> Result

  /// Writes the report before the exit. A reader that does not read must not hold up the exit.
  ///
  /// - Parameter exitHooks: Said at the same time; those that come last, after it.
  func write(report: LifecycleReport, exitHooks: [ExitHook])

  /// The same, and it returns by the deadline: the process has ended then.
  func write(report: LifecycleReport, exitHooks: [ExitHook], by deadline: ContinuousClock.Instant)

  /// What is said from outside of the grace: read once, before the run.
  var settings: OutsideSettings { get }

  /// Ends the process. `atOnce`: nothing of the program runs any more, no buffer is flushed (`_exit`).
  func exit(_ code: Int32, atOnce: Bool)
}

extension LifecycleEnvironment {
  package var settings: OutsideSettings { OutsideSettings() }

  package func remind(at instant: ContinuousClock.Instant, _ body: @escaping @Sendable () -> Void) {
    schedule(at: instant, body)
  }

  package func write(report: LifecycleReport, exitHooks: [ExitHook], by deadline: ContinuousClock.Instant) {
    write(report: report, exitHooks: exitHooks)
  }

  package func performCancellation(_ body: @escaping @Sendable () -> Void) { perform(body) }

  package func performLogging(_ body: @escaping @Sendable () -> Void) { perform(body) }

  package func performObservation(_ body: @escaping @Sendable () -> Void) { perform(body) }

  package func surround<Result: Sendable>(
    _ phase: Phase, _ body: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    try await body()
  }
}
