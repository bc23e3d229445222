import GracefulShutdown
import GracefulTesting
import Testing

@Suite("T5: A lame-duck time that is said from outside")
struct LameDuckFromOutsideTests {
  private func settings(_ variables: [String: String]) -> OutsideSettings {
    OutsideSettings(
      ProcessSurroundings(variable: { variables[$0] }, exists: { _ in false }, cgroup: { "" }, pid: 7, parent: 1))
  }

  private func limit(_ own: LameDuck, _ variables: [String: String] = [:]) -> Duration? {
    settings(variables).setting(own)?.time.limit
  }

  private let kubernetes = ["KUBERNETES_SERVICE_HOST": "10.0.0.1"]

  @Test("There is none unless it is asked for; under Kubernetes 5 s, and 3 s at least")
  func automatic() {
    #expect(limit(.automatic) == nil)
    #expect(limit(.automatic, ["KUBERNETES_SERVICE_HOST": ""]) == nil)
    let setting = settings(kubernetes).setting(.automatic)
    #expect(setting?.time == LameDuck.Timing(limit: .seconds(5), minimum: .seconds(3), quiet: .seconds(1)))
    #expect(setting?.origin == .kubernetes)
  }

  @Test("The program's own word counts more than Kubernetes")
  func program() {
    #expect(limit(.none, kubernetes) == nil)
    #expect(limit(.atMost(.seconds(9)), kubernetes) == .seconds(9))
    #expect(limit(.atMost(.zero)) == nil)
    #expect(limit(.atMost(.seconds(-1))) == nil)
    #expect(settings([:]).setting(.atMost(.seconds(1)))?.time.minimum == .seconds(1), "no longer than it is at most")
    #expect(settings([:]).setting(.atMost(.seconds(9), quiet: .seconds(-1)))?.time.quiet == .milliseconds(10))
  }

  @Test("The environment's counts most, and zero switches it off")
  func environment() {
    let two = ["GRACEFUL_LAME_DUCK_SECONDS": "2.5"]
    #expect(limit(.none, two) == .milliseconds(2500))
    #expect(limit(.atMost(.seconds(9)), two) == .milliseconds(2500))
    #expect(settings(two).setting(.none)?.origin == .environment)
    let off = ["GRACEFUL_LAME_DUCK_SECONDS": "0", "KUBERNETES_SERVICE_HOST": "10.0.0.1"]
    #expect(limit(.automatic, off) == nil)
    #expect(limit(.atMost(.seconds(9)), off) == nil)
    #expect(limit(.automatic, ["GRACEFUL_LAME_DUCK_SECONDS": "", "KUBERNETES_SERVICE_HOST": "x"]) == .seconds(5))
    #expect(settings(off).mistakes == [])
  }

  @Test("What is no such number is a mistake", arguments: ["-1", "abc", "1e9", "inf", " ", "315360001"])
  func bad(value: String) {
    let settings = settings(["GRACEFUL_LAME_DUCK_SECONDS": value])
    #expect(settings.mistakes.count == 1)
    #expect(settings.mistakes.first?.description.contains("GRACEFUL_LAME_DUCK_SECONDS is \"\(value)\"") == true)
  }

  @Test("The log says where it comes from, and warns when the grace leaves less")
  func log() async {
    let log = CollectedLog()
    var settings = OutsideSettings()
    settings.isKubernetes = true
    settings.grace = .seconds(8)
    let shop = Lifecycle("shop", logger: log.logger)
    shop.requestStop()
    _ = await shop.run(on: ManualClock(settings: settings))
    #expect(
      log.lines.contains {
        $0.hasPrefix("warning the lame-duck time is longer than half of what the grace leaves to drain")
          && $0.contains("lifecycle.lame_duck=2.500 s") && $0.contains("lifecycle.lame_duck.asked=5.000 s")
      }, "\(log.lines)")
  }
}
