import GracefulTesting
import Testing

@testable import GracefulShutdown

/// What is decided for one run of a phase never reaches another.
@Suite("A run after another one of the same phase", .timeLimit(.minutes(1)))
struct SucceedingRunTests {
  private let clock = ManualClock()
  private var pair: RestartedPair { RestartedPair(clock: clock) }

  @Test("Hearing, turn and release of a run that is over do not reach the next one")
  func moments() async throws {
    let (driver, _, web) = pair.run(RestartedPair.prompt { $0.dependents = .restart })
    async let report = driver.run()
    await clock.recorder.wait(for: "web 1")
    clock.recorder.record("database 1 fails")
    await driver.wait { $0.phases[1].state == .draining }
    clock.recorder.record("web 1 ends")
    await driver.wait { $0.phases[1].state == .waiting }
    clock.advanceToNext()
    await clock.recorder.wait(for: "web 2")
    #expect(web[1].isStopRequested && web[1].moments.hasClosed)
    #expect(!web[2].isStopRequested)
    #expect(web[2].deadline == nil)
    #expect(!web[2].moments.hasClosed)
    try await web[2].withSession {}
    await #expect(throws: PhaseError.self) { try await web[1].withSession {} }
    pair.end(driver, web: 2)
    #expect(await report.exitCode == 0)
  }

  @Test("The cut and the cancellation of a run that is over cancel nothing in the next one")
  func cancellation() async throws {
    let (driver, _, web) = pair.run(RestartedPair.prompt { $0.dependents = .restart }, webLimit: .seconds(1))
    async let report = driver.run()
    await clock.recorder.wait(for: "web 1")
    let session = try web[1].beginSession("slow")
    clock.recorder.record("database 1 fails")
    await driver.wait { $0.phases[1].state == .draining }
    // Over its limit with a session inside: cut, and then cancelled.
    clock.advance(by: .seconds(1))
    session.end()
    await driver.wait { _ in web[1].moments.hasReached(.cancelled) }
    // The delay of what it requires is over by then, so both are started again at once.
    clock.recorder.record("web 1 ends")
    await clock.recorder.wait(for: "web 2")
    #expect(web[1].gate.isCancelled && !web[2].gate.isCancelled)
    #expect(!web[2].isStopRequested)
    try await web[2].withSession("import", cancellable: true) { try Task.checkCancellation() }
    pair.end(driver, web: 2)
    #expect(await report.exitCode == 0)
    #expect(await report.stragglers.isEmpty, "what was late when it was started again, was late in no stop")
  }

  @Test("A run that is over cannot say that the next one is ready, nor stop it")
  func lateWords() async {
    let database = RecordedRuns("database", clock)
    let driver = LifecycleDriver.underTest(
      [.init("database", restart: RestartedPair.prompt())], bodies: [database.body(saysReady: false)], on: clock)
    async let report = driver.run()
    await clock.recorder.wait(for: "database 1")
    clock.recorder.record("database 1 fails")
    await driver.wait { $0.phases[0].state == .restarting }
    database[1].ready()
    clock.advanceToNext()
    await clock.recorder.wait(for: "database 2")
    database[1].ready()
    database[1].requestStop()
    #expect(driver.snapshot().phases[0].state == .starting)
    database[2].ready()
    #expect(driver.snapshot().phases[0].state == .ready)
    driver.requestStop(StopRequest())
    #expect(await report.exitCode == 0)
    #expect(await report.ignored.count == 3)
  }
}
