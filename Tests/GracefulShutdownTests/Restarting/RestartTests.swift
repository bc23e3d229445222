import GracefulShutdown
import GracefulTesting
import TestHost
import Testing

/// S7 with real tasks and manual time.
@Suite("A phase that is started again", .timeLimit(.minutes(1)))
struct RestartTests {
  private let clock = ManualClock()
  private let shop = Lifecycle("shop", grace: .seconds(20))

  private static var prompt: RestartPolicy {
    var policy = RestartPolicy.onFailure()
    policy.jitter = 0
    return policy
  }

  private func failing(_ policy: RestartPolicy, until last: Int) -> PhaseHandle {
    let (clock, runs) = (clock, Counter())
    return shop.phase("consumer", restart: policy) { phase in
      let run = runs.next()
      phase.ready()
      clock.recorder.record("run \(run)")
      if run < last { throw PhaseScript.Failure("lost") }
      await phase.turnToStop()
    }
  }

  @Test("runs again after its delay, each longer than the one before, and the report has them")
  func again() async {
    _ = failing(Self.prompt, until: 4)
    let events = shop.events
    async let report = shop.run(on: clock)
    for run in 1...4 {
      await clock.recorder.wait(for: "run \(run)")
      if run < 4 {
        for await event in events where event.kind == .restarting { break }
        clock.advanceToNext()
      }
    }
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(await report.phases[0].restarts.map(\.delay) == [0.1, 0.2, 0.4].map { .seconds($0) })
    #expect(await report.phases[0].restarts.map(\.after) == [0, 0.1, 0.3].map { .seconds($0) })
  }

  @Test("Sessions are refused meanwhile, or wait, as the policy says", arguments: [false, true])
  func sessions(wait: Bool) async {
    var policy = Self.prompt
    policy.sessions = wait ? .wait : .refuse
    let (clock, runs) = (clock, Counter())
    shop.phase("consumer", restart: policy) { phase in
      phase.ready()
      if runs.next() == 1 {
        // A task that has the phase at hand, and lives longer than its body.
        Task.detached {
          await clock.recorder.wait(for: "restarts")
          do {
            try await phase.withSession("order") { clock.recorder.record("admitted") }
          } catch {
            clock.recorder.record("refused")
          }
        }
        throw PhaseScript.Failure("lost")
      }
      clock.recorder.record("second run")
      await phase.turnToStop()
    }
    let events = shop.events
    async let report = shop.run(on: clock)
    for await event in events where event.kind == .restarting { break }
    clock.recorder.record("restarts")
    if !wait { await clock.recorder.wait(for: "refused") }
    clock.advanceToNext()
    await clock.recorder.wait(for: wait ? "admitted" : "second run")
    shop.requestStop()
    #expect(await report.exitCode == 0)
  }

  @Test("Those that require it are stopped and started again after it, when the policy says so")
  func restForOne() async {
    var policy = Self.prompt
    policy.dependents = .restart
    let consumer = failing(policy, until: 2)
    let (clock, runs) = (clock, Counter())
    shop.phase("web", requires: consumer) { phase in
      let run = runs.next()
      phase.ready()
      clock.recorder.record("web \(run)")
      await phase.turnToStop()
      clock.recorder.record("web \(run) ended")
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "run 1")
    // It may have begun before the consumer failed, or not.
    if clock.recorder.events.contains("web 1") { await clock.recorder.wait(for: "web 1 ended") }
    // Little by little: at the next instant that is due, `web` may not have been given the time to begin and to end.
    await eventually {
      clock.advance(by: .milliseconds(1))
      return clock.recorder.events.contains("run 2")
    }
    await eventually { clock.recorder.events.contains { $0 == "web 1" || $0 == "web 2" } }
    shop.requestStop()
    #expect(await report.exitCode == 0)
  }

  @Test("The filter decides for which errors")
  func filter() async {
    shop.phase("consumer", restart: Self.prompt, restartFor: { "\($0)" != "bad password" }) { phase in
      phase.ready()
      throw PhaseScript.Failure("bad password")
    }
    let report = await shop.run(on: clock)
    #expect(report.phases[0].end == .failed("bad password"))
    #expect(report.phases[0].restarted == 0)
  }

  @Test("Trap 24: a stop ends the wait for a restart at once")
  func stopWhileWaiting() async {
    var policy = Self.prompt
    policy.firstDelay = .seconds(3600)
    policy.maximumDelay = .seconds(3600)
    _ = failing(policy, until: 2)
    let events = shop.events
    async let report = shop.run(on: clock)
    for await event in events where event.kind == .restarting { break }
    shop.requestStop()
    #expect(await report.took == .zero)
    #expect(await report.exitCode == 0)
    #expect(!clock.recorder.events.contains("run 2"))
  }
}

final class Counter: Sendable {
  private let count = Recorder()

  func next() -> Int {
    count.record("")
    return count.events.count
  }
}
