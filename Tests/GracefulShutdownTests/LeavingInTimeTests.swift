import Graceful
import GracefulShutdown
import GracefulTesting
import Synchronization
import Testing

/// The last rung: what is left to be done when the time is over.
@Suite("S4: The last words", .timeLimit(.minutes(1)))
struct LeavingInTimeTests {
  @Test("are begun before the deadline, when the thread that performs is stuck, and the process ends at it")
  func begunInTime() async {
    let clock = HeldDecisionsClock()
    let lifecycle = Lifecycle("shop", grace: .seconds(20))
    lifecycle.phase("web", script: .obedient, on: clock.manual)
    let run = Task { await lifecycle.run(in: clock, exiting: true) }
    await clock.manual.recorder.wait(for: "web: ready")
    clock.hold()
    lifecycle.requestStop()
    clock.manual.advance(by: .milliseconds(19_499))
    #expect(clock.manual.reports.isEmpty)
    clock.manual.advance(by: .milliseconds(1))
    #expect(clock.manual.reports.count == 1, "half a second for a reader that does not read")
    #expect(clock.manual.exits.isEmpty)
    clock.manual.advance(by: .milliseconds(500))
    #expect(clock.manual.exits == [.init(code: 124, atOnce: true)])
    clock.goOn()
    _ = await run.value
    #expect(clock.manual.reports.count == 1)
  }

  @Test("are told by when they must be over, with a grace of any length", arguments: [400, 1000, 4000, 25_000])
  func deadline(grace: Int) async throws {
    let clock = DeadlineClock()
    let lifecycle = Lifecycle("shop", grace: .milliseconds(grace))
    lifecycle.phase("web") { phase in
      phase.ready()
      clock.manual.recorder.record("started")
      await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
    }
    let run = Task { await lifecycle.run(in: clock, exiting: true) }
    await clock.manual.recorder.wait(for: "started")
    let end = clock.manual.time + .milliseconds(grace)
    lifecycle.requestStop()
    while clock.manual.advanceToNext() {}
    _ = await run.value
    let (begun, by) = try #require(clock.said.withLock { $0 })
    #expect(by < end && begun < by, "there is time for them, and it ends before the grace does")
  }

  /// Notes by when the last words must be over.
  private final class DeadlineClock: LifecycleEnvironment {
    let manual = ManualClock()
    let said = Mutex<(ContinuousClock.Instant, ContinuousClock.Instant)?>(nil)

    func write(report: LifecycleReport, exitHooks: [ExitHook], by deadline: ContinuousClock.Instant) {
      said.withLock { $0 = (manual.time, deadline) }
      manual.write(report: report, exitHooks: exitHooks)
    }

    func now() -> ContinuousClock.Instant { manual.now() }
    func wallTime() -> UTCTime { manual.wallTime() }
    var processID: Int32 { manual.processID }
    func schedule(at instant: ContinuousClock.Instant, _ body: @escaping @Sendable () -> Void) {
      manual.schedule(at: instant, body)
    }
    func performDecisions(_ body: @escaping @Sendable () -> Void) { body() }
    func perform(_ body: @escaping @Sendable () -> Void) { manual.perform(body) }
    func wait(atMost limit: Duration, until isDone: () -> Bool) { manual.wait(atMost: limit, until: isDone) }
    func write(report: LifecycleReport, exitHooks: [ExitHook]) { manual.write(report: report, exitHooks: exitHooks) }
    func exit(_ code: Int32, atOnce: Bool) { manual.exit(code, atOnce: atOnce) }
  }
}
