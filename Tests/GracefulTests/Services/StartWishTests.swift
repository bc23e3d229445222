import Graceful
import GracefulTesting
import ServiceLifecycle
import Testing

/// What users of swift-service-lifecycle ask for, by the number of their issue: what 2.13 does, and what a lifecycle does.
@Suite("What users of swift-service-lifecycle wish for when they start", .timeLimit(.minutes(1)))
struct StartWishTests {
  private let theirs = Recorder()
  private let ours = Recorder()
  private let shop = Lifecycle("shop", logger: .silent)

  @Test(
    "Wish #248: told to stop before it ran, a group starts all its services for that; a lifecycle none, and says so")
  func stopBeforeTheRun() async throws {
    let group = ServiceGroup(
      services: [ScriptedService(name: "database", recorder: theirs)], logger: .silent)
    await group.triggerGracefulShutdown()
    try await group.run()
    // Up to 2.12 nothing ran, and `run` threw that the group had finished already.
    #expect(theirs.events == ["database: started", "database: told", "database: ended"])

    shop.phase("database", service: ScriptedService(name: "database", recorder: ours))
    shop.requestStop(StopRequest(source: .code, why: "the configuration says so"))
    let report = await shop.run()
    #expect(ours.events == [])
    #expect(report.phases.map(\.end) == [.neverStarted])
    #expect(report.request?.why == "the configuration says so")
    #expect(report.exitCode == 0)
  }

  @Test("Wish #248: whenever the stop comes, before the run or in it, what was opened is released")
  func stopAroundTheRun() async {
    for _ in 0..<200 {
      let (recorder, shop) = (Recorder(), Lifecycle("shop", logger: .silent))
      shop.phase("database") { phase in
        recorder.record("opened")
        phase.ready()
        await phase.turnToStop()
        recorder.record("released")
      }
      async let ended = shop.run()
      shop.requestStop()
      let report = await ended
      let wasStarted = report.phases[0].end != .neverStarted
      #expect(recorder.events == (wasStarted ? ["opened", "released"] : []))
      #expect(report.exitCode == 0)
    }
  }

  @Test("Wish #248: a test can wait until a lifecycle runs; with a group it needs a service that says so")
  func whenDoesItRun() async throws {
    let group = ServiceGroup(services: [ScriptedService(name: "canary", recorder: theirs)], logger: .silent)
    async let theirEnd: Void = group.run()
    await theirs.wait(for: "canary: started")
    await group.triggerGracefulShutdown()
    try await theirEnd

    shop.phase("database", service: ScriptedService(name: "database", recorder: ours))
    let events = shop.events
    async let report = shop.run()
    for await event in events where event.kind == .ready { break }
    #expect(shop.snapshot().phases.map(\.state) == [.ready])
    shop.requestStop()
    #expect(await report.phases.map(\.end) == [.drained])
  }

  /// A migration that takes as long as the web server, which needs it, takes to start; if it does so meanwhile.
  private func migrate(_ recorder: Recorder, patience: Duration) async {
    await recorder.sees("web: started", within: patience)
    recorder.record("migrated")
  }

  @Test("Wish #200: a group starts all at once, also what needs a migration; in a lifecycle it starts after that")
  func workBeforeAService() async throws {
    let (theirs, ours) = (theirs, ours)
    let group = ServiceGroup(
      services: [
        ScriptedService(name: "database", recorder: theirs),
        ScriptedService(
          name: "migration", recorder: theirs,
          work: {
            await migrate(theirs, patience: .seconds(20))
            await ScriptedService.untilTold()
          }),
        ScriptedService(name: "web", recorder: theirs),
      ], logger: .silent)
    async let theirEnd: Void = group.run()
    await theirs.wait(for: "migrated")
    await group.triggerGracefulShutdown()
    try await theirEnd
    #expect(theirs.saw(inOrder: "web: started", "migrated"))

    let database = shop.phase("database", service: ScriptedService(name: "database", recorder: ours))
    let migration = shop.phase("migration", requires: database, restart: .once) { _ in
      await migrate(ours, patience: .milliseconds(20))
    }
    shop.phase("web", requires: migration, service: ScriptedService(name: "web", recorder: ours))
    async let report = shop.run()
    await ours.wait(for: "web: started")
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(ours.saw(inOrder: "database: started", "migrated", "web: started", "web: ended", "database: told"))
  }

  @Test("Wish #200: when the work before it fails, a group has started the service; a lifecycle has not")
  func failureBeforeAService() async {
    let (theirs, ours) = (theirs, ours)
    let group = ServiceGroup(
      services: [
        ScriptedService(
          name: "migration", recorder: theirs,
          work: {
            await theirs.sees("web: started")
            throw Broken.pipe
          }), ScriptedService(name: "web", recorder: theirs),
      ], logger: .silent)
    await #expect(throws: Broken.self) { try await group.run() }
    #expect(theirs.events.contains("web: started"))

    let database = shop.phase("database", service: ScriptedService(name: "database", recorder: ours))
    let migration = shop.phase("migration", requires: database, restart: .once) { _ in throw Broken.pipe }
    shop.phase("web", requires: migration, service: ScriptedService(name: "web", recorder: ours))
    let report = await shop.run()
    #expect(report.phases.map(\.end) == [.drained, .failed("pipe"), .neverStarted])
    #expect(report.exitCode == 1)
    #expect(!ours.events.contains("web: started"))
  }

  @Test("Wish #200: a service that says when it is ready is waited for; in a group nobody could")
  func readiness() async {
    let ours = ours
    let pool = ScriptedService(
      name: "pool", recorder: ours,
      work: {
        await ours.sees("web: started", within: .milliseconds(20))
        ours.record("pool: connected")
        Phase.current?.ready()
        await ScriptedService.untilTold()
      })
    let requirement = shop.phase("pool", readiness: .explicit, service: pool)
    shop.phase("web", requires: requirement, service: ScriptedService(name: "web", recorder: ours))
    async let report = shop.run()
    await ours.wait(for: "web: started")
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(ours.saw(inOrder: "pool: started", "pool: connected", "web: started"))
  }
}
