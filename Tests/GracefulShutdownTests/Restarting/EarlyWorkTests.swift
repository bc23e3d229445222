import GracefulTesting
import Synchronization
import Testing

@testable import GracefulShutdown

/// What a body does before it says that it is ready, it can do in each of its runs.
@Suite("A phase that is started again, before it is ready", .timeLimit(.minutes(1)))
struct EarlyWorkTests {
  private let clock = ManualClock()

  private static func policies() -> [RestartPolicy] {
    [RestartPolicy.Sessions.refuse, .wait].map { sessions in
      RestartedPair.prompt { $0.sessions = sessions }
    }
  }

  @Test(
    "opens sessions and child phases of its own, as in its first run, while others are refused or wait",
    arguments: policies())
  func early(policy: RestartPolicy) async throws {
    let (clock, runs) = (clock, Counter())
    let driver = LifecycleDriver.underTest(
      [.init("web", restart: policy)],
      bodies: [
        { phase in
          let run = runs.next()
          try await phase.withSession("warm up") { try await withSession { clock.recorder.record("session \(run)") } }
          try phase.beginSession().end()
          try await phase.withSession("cancellable", cancellable: true) { clock.recorder.record("cancellable \(run)") }
          try await withPhase("fill the cache") { child in
            try await child.withSession { clock.recorder.record("child \(run)") }
          }
          // Code that the body has started and given the phase: a callback that knows no task.
          try await Task.detached { try phase.beginSession().end() }.value
          clock.recorder.record("early \(run)")
          await clock.recorder.wait(for: "go on \(run)")
          phase.ready()
          clock.recorder.record("ready \(run)")
          if run == 1 {
            await clock.recorder.wait(for: "fail")
            throw PhaseScript.Failure("lost")
          }
          await phase.turnToStop()
        }
      ], on: clock)
    async let report = driver.run()
    await clock.recorder.wait(for: "early 1")
    let first = driver.state.withLock { $0.phases[0] }
    clock.recorder.record("go on 1")
    await clock.recorder.wait(for: "ready 1")
    clock.recorder.record("fail")
    await driver.wait { $0.phases[0].state == .restarting }
    clock.advanceToNext()
    await clock.recorder.wait(for: "early 2")
    for name in ["session", "cancellable", "child"] { #expect(clock.recorder.events.contains("\(name) 2")) }
    // Code that has the phase from its first run is not let in before it is ready.
    #expect(throws: PhaseError.self) { try first.beginSession().end() }
    await #expect(throws: PhaseError.self) { try await first.withPhase("late") { _ in } }
    clock.recorder.record("go on 2")
    await clock.recorder.wait(for: "ready 2")
    try first.beginSession().end()
    driver.requestStop(StopRequest())
    #expect(await report.exitCode == 0)
    #expect(await report.phases[0].restarts.map(\.reason) == ["lost"])
  }

  @Test("lets nobody in any more before its body is called, and from the drain on")
  func over() async throws {
    let (clock, runs) = (clock, Counter())
    let driver = LifecycleDriver.underTest(
      [.init("web", restart: RestartedPair.prompt())],
      bodies: [
        { _ in
          let run = runs.next()
          clock.recorder.record("run \(run)")
          if run < 3 { throw PhaseScript.Failure("lost") }
          await clock.recorder.wait(for: "end")
        }
      ], on: clock)
    async let report = driver.run()
    await driver.wait { $0.phases[0].state == .restarting }
    clock.advanceToNext()
    await clock.recorder.wait(for: "run 2")
    await driver.wait { $0.phases[0].state == .restarting }
    // The run that comes next is there, and has not begun.
    let third = driver.state.withLock { $0.phases[0] }
    #expect(throws: PhaseError.self) { try third.beginSession().end() }
    clock.advanceToNext()
    await clock.recorder.wait(for: "run 3")
    try third.beginSession().end()
    driver.requestStop(StopRequest())
    #expect(throws: PhaseError.self) { try third.beginSession().end() }
    clock.recorder.record("end")
    #expect(await report.exitCode == 0)
  }
}
