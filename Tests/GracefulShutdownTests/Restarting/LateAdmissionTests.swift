import GracefulTesting
import Testing

@testable import GracefulShutdown

/// Who is let in, and who waits, is the same for all runs of a phase: what was decided last counts, not what is done last.
@Suite("Who is let in when that is said after the phase was started again", .timeLimit(.minutes(1)))
struct LateAdmissionTests {
  private let clock = ManualClock()
  private var pair: RestartedPair { RestartedPair(clock: clock) }

  @Test("A refusal that comes when it is ready again refuses nobody")
  func refusal() async throws {
    let (held, driver, database, _) = pair.run(RestartedPair.prompt()) { if case .refuse = $0 { true } else { false } }
    async let report = driver.run()
    await clock.recorder.wait(for: "web 1")
    clock.recorder.record("database 1 fails")
    await held.wait { if case .restart(0, _, _) = $0 { true } else { false } }
    clock.advanceToNext()
    await clock.recorder.wait(for: "database 2")
    #expect(held.count == 1)
    held.performAll()
    try await database[2].withSession {}
    // They have one gate: what is inside stays inside.
    try await database[1].withSession {}
    pair.end(held, driver, web: 1)
    #expect(await report.exitCode == 0)
    held.letGo()
  }

  @Test("That it waits, said when it does not wait any more, changes nothing")
  func waiting() async {
    let (held, driver, _, web) = pair.run(RestartedPair.prompt()) {
      if case .waiting(_, true) = $0 { true } else { false }
    }
    async let report = driver.run()
    await clock.recorder.wait(for: "web 1")
    clock.recorder.record("database 1 fails")
    await held.wait { if case .restart(0, _, _) = $0 { true } else { false } }
    clock.advanceToNext()
    await held.wait(times: 2) { $0 == .ready(0) }
    held.performAll()
    #expect(!web[1].isWaiting)
    pair.end(held, driver, web: 1)
    #expect(await report.exitCode == 0)
    held.letGo()
  }

  @Test("Sessions that are held when a stop has begun are refused, and do not wait for ever")
  func holding() async {
    let (held, driver, database, _) = pair.run(RestartedPair.prompt { $0.sessions = .wait }) {
      if case .hold = $0 { true } else { false }
    }
    async let report = driver.run()
    await clock.recorder.wait(for: "web 1")
    clock.recorder.record("database 1 fails")
    await held.wait { if case .restart(0, _, _) = $0 { true } else { false } }
    driver.requestStop(StopRequest())
    held.performAll()
    await #expect(throws: PhaseError.self) { try await database[1].withSession {} }
    clock.recorder.record("web 1 ends")
    #expect(await report.exitCode == 0)
    held.letGo()
  }

  @Test("A session that waits while its phase is stopped and started again goes on in the new run")
  func heir() async throws {
    let policy = RestartedPair.prompt { $0.sessions = .wait }
    let (held, web) = (HeldDeeds { _ in false }, RecordedRuns("web", clock))
    var database = RestartedPair.prompt { $0.dependents = .restart }
    database.firstDelay = .seconds(1)
    let driver = held.driver(
      [.init("database", restart: database), .init("web", requires: ["database"], restart: policy)],
      bodies: [RecordedRuns("database", clock).body(), web.body()], on: clock)
    async let report = driver.run()
    await clock.recorder.wait(for: "web 1")
    clock.recorder.record("database 1 fails")
    await held.wait { if case .drain(1, _) = $0 { true } else { false } }
    async let session: Bool = web[1].withSession { Phase.current === web[2] }
    clock.recorder.record("web 1 ends")
    await held.wait { $0 == .renew(1) }
    clock.advance(by: .seconds(1))
    #expect(try await session)
    pair.end(held, driver, web: 2)
    #expect(await report.exitCode == 0)
    #expect(await report.phases[1].sessions?.admitted == 1)
    held.letGo()
  }
}
