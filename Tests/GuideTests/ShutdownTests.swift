import Graceful
import GracefulTesting
import Testing

// *Testing your shutdown*: the samples are tests, and they run.

@Suite("The tests that the guide shows pass")
struct ShutdownTests {
  @Test(.timeLimit(.minutes(1))) func theWebServerStopsBeforeTheDatabase() async {
    let clock = ManualClock()
    let shop = shopOfPhases()
    let recorder = Recorder(of: shop)
    async let report = shop.run(on: clock)
    await recorder.wait(for: "web: ready")

    shop.requestStop()

    #expect(await report.exitCode == 0)
    await recorder.wait(for: "finished")
    #expect(recorder.saw(inOrder: "web: drained", "pipeline: drained", "database: draining"))
  }

  @Test(.timeLimit(.minutes(1))) func aPipelineThatHangsDoesNotKeepTheDatabaseOpen() async {
    let clock = ManualClock()
    let shop = Lifecycle("shop", grace: .seconds(25))
    let database = shop.phase("database", limit: .seconds(3), script: .obedient, on: clock)
    shop.phase("pipeline", requires: database, limit: .seconds(5), script: .ignoresCancel, on: clock)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "pipeline: ready")

    shop.requestStop(StopRequest(source: .signal(15)))
    await clock.recorder.wait(for: "pipeline: turn")
    clock.advance(by: .seconds(5))  // its limit: it is cancelled
    await clock.recorder.wait(for: "pipeline: cancelled")
    clock.advance(by: .seconds(2))  // it ignores that, too: it is abandoned

    #expect(await report.exitCode == 124)
    #expect(await report.stragglers.map(\.name) == ["pipeline"])
    #expect(clock.recorder.saw(inOrder: "pipeline: cancelled", "database: turn", "database: ended"))
  }

  @Test func everyPhaseHasTheTimeThatItWasPromised() {
    let plan = shopOfPhases().plan()
    #expect(plan.fits, "\(plan.text)")
    #expect(plan.worstCase.map { $0 <= .seconds(25) } == true)
  }

  @Test(.timeLimit(.minutes(1))) func aConsumerThatFailsIsStartedAgain() async {
    let clock = ManualClock()
    let shop = Lifecycle("shop")
    shop.phase("consumer", restart: .onFailure(), script: .fails(1, "connection lost"), on: clock)
    let recorder = Recorder(of: shop)
    async let report = shop.run(on: clock)
    await recorder.wait(for: "consumer: restarting")
    clock.advance(by: .seconds(1))  // the first delay is 100 ms, up to a fifth longer or shorter by chance
    await clock.recorder.wait(for: "consumer: started", times: 2)

    shop.requestStop()

    #expect(await report.exitCode == 0)
    #expect(await report.phases.first?.restarted == 1)
  }

  @Test(.timeLimit(.minutes(1))) func aRequestInFlightIsFinished() async {
    let clock = ManualClock()
    let shop = Lifecycle("shop")
    shop.phase("web", script: .sessions(1, each: .seconds(2)), on: clock)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")

    shop.requestStop()
    await clock.recorder.wait(for: "web: session 1 drains")
    #expect(!clock.recorder.events.contains("web: turn"))  // the phase waits for it
    clock.advance(by: .seconds(2))

    #expect(await report.exitCode == 0)
    #expect(await report.phases.first?.sessions?.drained == 1)
    #expect(clock.recorder.saw(inOrder: "web: session 1 drains", "web: turn"))
  }
}
