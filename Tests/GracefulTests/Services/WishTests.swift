import Graceful
import GracefulTesting
import ServiceLifecycle
import Testing

/// What users of swift-service-lifecycle ask for, by the number of their issue: what 2.13 does, and what a lifecycle does.
@Suite("What users of swift-service-lifecycle wish for when they stop", .timeLimit(.minutes(1)))
struct WishTests {
  private let theirs = Recorder()
  private let ours = Recorder()
  private let clock = ManualClock()

  /// One ends before its time, which stops the whole; and one swallows its cancellation, until the test lets it go.
  private func halfDead(_ recorder: Recorder) -> [ScriptedService] {
    [
      ScriptedService(name: "early", recorder: recorder, work: { await recorder.sees("deaf: started") }),
      ScriptedService(name: "deaf", recorder: recorder, work: { await recorder.sees("let go") }),
    ]
  }

  @Test("Wish #207: nobody has set a limit: a group stays half-dead for ever, a lifecycle ends within its grace")
  func safeLimitsByDefault() async {
    let configuration = ServiceGroupConfiguration(services: halfDead(theirs), logger: .silent)
    #expect(configuration.maximumGracefulShutdownDuration == nil)
    #expect(configuration.maximumCancellationDuration == nil)
    let running = Task { [theirs] in
      try? await ServiceGroup(configuration: configuration).run()
      theirs.record("group: ended")
    }
    await theirs.wait(for: "deaf: cancelled")
    theirs.record("let go")
    await running.value
    #expect(theirs.saw(inOrder: "early: ended", "deaf: cancelled", "let go", "deaf: ended", "group: ended"))

    let shop = Lifecycle("shop", logger: .silent)
    for service in halfDead(ours) { shop.phase(service.name, service: service) }
    async let ended = shop.run(on: clock)
    await ours.wait(for: "deaf: told")
    // 25 s, less 2 s to cancel and 1 s to leave.
    clock.advance(by: .seconds(22))
    await ours.wait(for: "deaf: cancelled")
    clock.advance(by: .seconds(2))
    let report = await ended
    #expect(report.request?.source == .phaseEnded("early"))
    #expect(report.stragglers.map(\.name) == ["deaf"])
    #expect(report.took == .seconds(24))
    #expect(report.exitCode == 124)
    #expect(!ours.events.contains("deaf: ended"))
    ours.record("let go")
  }

  enum WayDown: CaseIterable {
    case request, cancellation, failure
  }

  /// A worker that marks its jobs in its database when it is stopped, in whichever way; and a service that may fail.
  private func jobs(_ recorder: Recorder, _ way: WayDown, patience: Duration) -> [ScriptedService] {
    [
      ScriptedService(name: "database", recorder: recorder),
      ScriptedService(
        name: "worker", recorder: recorder,
        cleanup: {
          let isGone = await recorder.sees("database: ended", within: patience)
          recorder.record("worker: database is \(isGone ? "gone" : "there")")
        }),
      ScriptedService(
        name: "feed", recorder: recorder,
        work: {
          await recorder.sees("worker: started")
          if way == .failure { throw Broken.pipe } else { await ScriptedService.untilTold() }
        }),
    ]
  }

  @Test(
    "Wish #232: a group knows an order, not who needs whom, and keeps it on one way down only; a lifecycle on each",
    arguments: WayDown.allCases)
  func dependencies(way: WayDown) async {
    // The one way on which the database waits for the worker is not waited for longer than it takes to see that.
    let group = ServiceGroup(
      services: jobs(theirs, way, patience: way == .request ? .milliseconds(20) : .seconds(20)), logger: .silent)
    let running = Task { try await group.run() }
    for name in ["database", "worker", "feed"] { await theirs.wait(for: "\(name): started") }
    switch way {
    case .request: await group.triggerGracefulShutdown()
    case .cancellation: running.cancel()
    case .failure: break
    }
    _ = await running.result
    #expect(theirs.events.contains("worker: database is \(way == .request ? "there" : "gone")"))

    let services = jobs(ours, way, patience: .milliseconds(20))
    let shop = Lifecycle("shop", logger: .silent)
    // Written down the other way round: who needs whom is said, not where it stands.
    shop.phase("feed", requires: "worker", service: services[2])
    shop.phase("worker", requires: "database", service: services[1])
    shop.phase("database", service: services[0])
    let clock = clock
    let ended = Task { await shop.run(on: clock) }
    for name in ["database", "worker", "feed"] { await ours.wait(for: "\(name): started") }
    switch way {
    case .request: shop.requestStop()
    case .cancellation: ended.cancel()
    case .failure: break
    }
    let report = await ended.value
    #expect(ours.saw("feed", endedBeforeStopOf: "worker"))
    #expect(ours.saw("worker", endedBeforeStopOf: "database"))
    #expect(ours.events.contains("worker: database is there"))
    #expect(report.exitCode == [.request: 0, .cancellation: 124, .failure: 1][way])
  }
}
