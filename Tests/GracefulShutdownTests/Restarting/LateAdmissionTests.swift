import GracefulTesting
import Testing

@testable import GracefulShutdown

/// Which sessions are let in, and which wait, is the same for all runs of a phase.
@Suite("Sessions of a phase that is started again", .timeLimit(.minutes(1)))
struct LateAdmissionTests {
  private let clock = ManualClock()
  private var pair: RestartedPair { RestartedPair(clock: clock) }

  @Test("are let in when it is ready again, and those that require it wait no longer")
  func admission() async throws {
    let (driver, database, web) = pair.run(RestartedPair.prompt())
    async let report = driver.run()
    await clock.recorder.wait(for: "web 1")
    clock.recorder.record("database 1 fails")
    await driver.wait { $0.phases[0].state == .restarting }
    await #expect(throws: PhaseError.self) { try await database[1].withSession {} }
    #expect(web[1].isWaiting)
    clock.advanceToNext()
    await clock.recorder.wait(for: "database 2")
    try await database[2].withSession {}
    // They have one gate: what is inside stays inside.
    try await database[1].withSession {}
    #expect(!web[1].isWaiting)
    pair.end(driver, web: 1)
    #expect(await report.exitCode == 0)
  }

  @Test("that are held when a stop has begun are refused, and do not wait for ever")
  func holding() async {
    let (driver, database, _) = pair.run(RestartedPair.prompt { $0.sessions = .wait })
    async let report = driver.run()
    await clock.recorder.wait(for: "web 1")
    clock.recorder.record("database 1 fails")
    await driver.wait { $0.phases[0].state == .restarting }
    driver.requestStop(StopRequest())
    await #expect(throws: PhaseError.self) { try await database[1].withSession {} }
    clock.recorder.record("web 1 ends")
    #expect(await report.exitCode == 0)
  }

  @Test("that wait while it is stopped and started again go on in the new run")
  func heir() async throws {
    let policy = RestartedPair.prompt { $0.sessions = .wait }
    let web = RecordedRuns("web", clock)
    var database = RestartedPair.prompt { $0.dependents = .restart }
    database.firstDelay = .seconds(1)
    let driver = LifecycleDriver.underTest(
      [.init("database", restart: database), .init("web", requires: ["database"], restart: policy)],
      bodies: [RecordedRuns("database", clock).body(), web.body()], on: clock)
    async let report = driver.run()
    await clock.recorder.wait(for: "web 1")
    clock.recorder.record("database 1 fails")
    await driver.wait { $0.phases[1].state == .draining }
    async let session: Bool = web[1].withSession { Phase.current === web[2] }
    clock.recorder.record("web 1 ends")
    await driver.wait { $0.phases[1].state == .waiting }
    clock.advance(by: .seconds(1))
    #expect(try await session)
    pair.end(driver, web: 2)
    #expect(await report.exitCode == 0)
    #expect(await report.phases[1].sessions?.admitted == 1)
  }
}
