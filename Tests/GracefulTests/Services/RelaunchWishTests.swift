import Graceful
import GracefulTesting
import ServiceLifecycle
import Testing

/// What users of swift-service-lifecycle ask for, by the number of their issue: what 2.13 does, and what a lifecycle does.
@Suite("What users of swift-service-lifecycle wish for when a service fails", .timeLimit(.minutes(1)))
struct RelaunchWishTests {
  private let theirs = Recorder()
  private let ours = Recorder()
  private let clock = ManualClock()
  private let shop = Lifecycle("shop", logger: .silent)

  private struct BadPassword: Error {}

  /// Polls something that is not there yet: its first runs fail.
  private func poller(_ recorder: Recorder, failing times: Int, _ error: any Error = Broken.pipe) -> ScriptedService {
    ScriptedService(
      name: "poller", recorder: recorder,
      work: {
        if recorder.events.count(where: { $0 == "poller: started" }) <= times { throw error }
        await ScriptedService.untilTold()
      })
  }

  /// Doubled delays from 1 s on, 4 s at most, none of them left to chance.
  private func policy(intensity: Int = 10) -> RestartPolicy {
    var policy = RestartPolicy.onFailure(intensity: intensity)
    policy.firstDelay = .seconds(1)
    policy.maximumDelay = .seconds(4)
    policy.jitter = 0
    return policy
  }

  /// - Returns: The report, of a run in which no delay takes any time.
  private func run(stopAfter runs: Int = .max) async -> LifecycleReport {
    let events = shop.events
    async let report = shop.run(on: clock)
    var started = 0
    for await event in events {
      if event.kind == .started { started += 1 }
      if started == runs {
        await ours.wait(for: "poller: started", times: runs)
        shop.requestStop()
        break
      }
      if event.kind == .restarting { clock.advanceToNext() }
      if event.kind == .finished { break }
    }
    return await report
  }

  @Test(
    "Wish #208: a group ends with the first failure; a lifecycle runs the service again, ever later up to a maximum")
  func relaunch() async {
    let group = ServiceGroup(services: [poller(theirs, failing: 5)], logger: .silent)
    await #expect(throws: Broken.self) { try await group.run() }
    #expect(theirs.events == ["poller: started", "poller: ended"])

    shop.phase("poller", restart: policy(), service: poller(ours, failing: 5))
    let report = await run(stopAfter: 6)
    #expect(report.exitCode == 0)
    #expect(ours.events.count { $0 == "poller: started" } == 6)
    #expect(report.phases[0].restarts.map(\.delay) == [1, 2, 4, 4, 4].map { Duration.seconds($0) })
  }

  @Test("Wish #208: five times in a row and no more; then the lifecycle stops as failed, and the report has them all")
  func fiveInARow() async {
    shop.phase("poller", restart: policy(intensity: 5), service: poller(ours, failing: .max))
    let report = await run()
    #expect(ours.events.count { $0 == "poller: started" } == 6)
    #expect(report.phases[0].restarted == 5)
    #expect(report.phases[0].restarts.count == 6, "five, and the one that was too many")
    #expect(report.phases[0].end.isFailed)
    #expect(report.exitCode == 1)
  }

  @Test("Wish #208: only for these errors: another one stops the lifecycle as failed at once")
  func onlyTheseErrors() async {
    shop.phase(
      "poller", restart: policy(), restartFor: { $0 is Broken },
      service: poller(ours, failing: .max, BadPassword()))
    let report = await run()
    #expect(ours.events.count { $0 == "poller: started" } == 1)
    #expect(report.phases[0].restarted == 0)
    #expect(report.exitCode == 1)
  }
}
