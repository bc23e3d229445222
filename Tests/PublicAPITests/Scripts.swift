import Graceful
import GracefulTesting

func scripted() async {
  let clock = ManualClock()
  let shop = Lifecycle("shop")
  let recorder = Recorder(of: shop)
  let database = shop.phase("database", script: .slow(.seconds(1)), on: clock)
  shop.phase("web", requires: database, service: ScriptedService("web", .obedient, on: clock))
  let script: PhaseScript = .sessions(3, each: .seconds(1))
  shop.phase("jobs", requires: database, script: script, on: clock)
  async let report = shop.run(on: clock)
  await recorder.wait(for: "web: ready")
  shop.requestStop()
  clock.advance(by: .seconds(1))
  print(await report.text, recorder.saw(inOrder: "web: ended", "database: turn"))
}
