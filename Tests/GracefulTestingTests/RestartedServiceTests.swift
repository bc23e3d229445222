import Graceful
import GracefulTesting
import Testing

/// A service of swift-service-lifecycle, started again: what its users ask for (#208).
@Suite("A foreign service that is started again", .timeLimit(.minutes(1)))
struct RestartedServiceTests {
  @Test("A service of somebody else that fails twice, and then runs until it is told to stop")
  func service() async {
    let (clock, shop) = (ManualClock(), Lifecycle("shop", grace: .seconds(20)))
    var policy = RestartPolicy.onFailure()
    policy.firstDelay = .seconds(1)
    shop.phase(
      "consumer", restart: policy,
      service: ScriptedService("consumer", .fails(2, after: .seconds(5), "lost"), on: clock))
    let events = shop.events
    async let report = shop.run(on: clock)
    for run in 1...2 {
      await clock.recorder.wait(for: "consumer: running", times: run)
      clock.advance(by: .seconds(5))
      for await event in events where event.kind == .restarting { break }
      clock.advanceToNext()
    }
    await clock.recorder.wait(for: "consumer: started", times: 3)
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(await report.phases[0].restarted == 2)
  }
}
