import GracefulShutdown
import GracefulTesting
import Synchronization

/// A manual clock whose thread for decisions can be held up: what is decided meanwhile is performed when it goes on.
final class HeldDecisionsClock: LifecycleEnvironment {
  private struct State {
    var isHeld = false
    var bodies: [@Sendable () -> Void] = []
  }

  let manual = ManualClock()
  private let state = Mutex(State())

  func hold() { state.withLock { $0.isHeld = true } }

  func goOn() {
    let bodies = state.withLock { state in
      defer { state = State() }
      return state.bodies
    }
    for body in bodies { body() }
  }

  func performDecisions(_ body: @escaping @Sendable () -> Void) {
    let isHeld = state.withLock { state in
      if state.isHeld { state.bodies.append(body) }
      return state.isHeld
    }
    if !isHeld { body() }
  }

  func now() -> ContinuousClock.Instant { manual.now() }
  func wallTime() -> UTCTime { manual.wallTime() }
  var processID: Int32 { manual.processID }
  func schedule(at instant: ContinuousClock.Instant, _ body: @escaping @Sendable () -> Void) {
    manual.schedule(at: instant, body)
  }
  func perform(_ body: @escaping @Sendable () -> Void) { manual.perform(body) }
  func performObservation(_ body: @escaping @Sendable () -> Void) { manual.performObservation(body) }
  func wait(atMost limit: Duration, until isDone: () -> Bool) { manual.wait(atMost: limit, until: isDone) }
  func surround<Result: Sendable>(
    _ phase: Phase, _ body: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    try await manual.surround(phase, body)
  }
  func write(report: LifecycleReport, exitHooks: [ExitHook]) { manual.write(report: report, exitHooks: exitHooks) }
  func exit(_ code: Int32, atOnce: Bool) { manual.exit(code, atOnce: atOnce) }
}
