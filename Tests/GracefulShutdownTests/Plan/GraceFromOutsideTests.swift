import GracefulShutdown
import GracefulTesting
import Testing

@Suite("A grace that is said from outside", .timeLimit(.minutes(1)))
struct GraceFromOutsideTests {
  private let log = CollectedLog()

  private func settings(_ grace: Duration? = nil, platform: PlatformGrace? = nil) -> OutsideSettings {
    var settings = OutsideSettings()
    (settings.grace, settings.platform) = (grace, platform)
    return settings
  }

  /// - Returns: The report of a lifecycle with a grace of 25 s that is asked to stop at once.
  private func run(_ settings: OutsideSettings) async -> LifecycleReport {
    let shop = Lifecycle("shop", grace: .seconds(25), logger: log.logger)
    shop.requestStop()
    return await shop.run(on: ManualClock(settings: settings))
  }

  private var notes: [String] { log.lines.filter { $0.contains("grace") } }

  @Test("takes the place of the program's own, and the log says so")
  func overridden() async {
    let report = await run(settings(.seconds(5)))
    #expect(report.grace == .seconds(5))
    #expect(report.graceOrigin == .environment)
    #expect(report.text.contains("of 5.000 s (GRACEFUL_GRACE_SECONDS)"))
    #expect(
      notes == [
        "notice the grace is not the program's own lifecycle.grace=5.000 s"
          + " lifecycle.grace.from=GRACEFUL_GRACE_SECONDS lifecycle.name=shop"
      ])
  }

  @Test("is what counts for the deadlines")
  func deadline() async {
    let clock = ManualClock(settings: settings(.seconds(8)))
    let shop = Lifecycle("shop", grace: .seconds(25), logger: .silent)
    shop.phase("web", script: .ignoresCancel, on: clock)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    shop.requestStop()
    clock.advance(by: .seconds(7))
    #expect(await report.took == .seconds(7))
  }

  @Test("does nothing where nothing is said: no note, no warning")
  func nothing() async {
    #expect(await run(settings()).grace == .seconds(25))
    #expect(await run(settings(platform: PlatformGrace(.seconds(30), .kubernetes))).exitCode == 0)
    #expect(await run(settings(platform: PlatformGrace(.seconds(25), .environment))).exitCode == 0)
    #expect(notes == [])
  }

  @Test("A platform that kills earlier is warned of at the start, with both numbers and what to set")
  func killedEarly() async {
    _ = await run(settings(platform: PlatformGrace(.seconds(10), .container)))
    #expect(notes.count == 1)
    let warning = notes.first ?? ""
    #expect(
      warning.hasPrefix(
        "warning the platform kills this program 10.0 s after it has asked it to stop, and the grace is 25.0 s: set the"
          + " stop timeout of the container (docker run --stop-timeout, stop_grace_period) to 25.0 s or more, or the"
          + " grace (GRACEFUL_GRACE_SECONDS) to 10.0 s or less"))
    #expect(warning.contains("platform.grace=10.0 s platform.grace.from=a container, unless told otherwise"))
  }

  @Test("The warning counts with the grace that holds, not with the program's own")
  func killedEarlyWithOverride() async {
    _ = await run(settings(.seconds(120), platform: PlatformGrace(.seconds(90), .systemd)))
    let warning = notes.first { $0.hasPrefix("warning") } ?? ""
    #expect(
      warning.contains(
        "set TimeoutStopSec= of the unit to 2 min 0 s or more, or GRACEFUL_GRACE_SECONDS to 90.0 s or less"))
    _ = await run(settings(.seconds(5), platform: PlatformGrace(.seconds(10), .container)))
    #expect(log.lines.filter { $0.hasPrefix("warning") }.count == 1)
  }

  @Test("What cannot be understood starts nothing, exit 78; the plan says it, too")
  func mistake() async {
    var wrong = settings()
    wrong.mistakes = [
      ConfigurationMistake(kind: .environment(variable: "GRACEFUL_GRACE_SECONDS", value: "soon", reason: "no"))
    ]
    let clock = ManualClock(settings: wrong)
    let shop = Lifecycle("shop", logger: .silent)
    shop.phase("web", script: .obedient, on: clock)
    #expect(shop.plan(with: wrong).mistakes == wrong.mistakes)
    let report = await shop.run(on: clock)
    #expect(report.exitCode == 78)
    #expect(report.mistakes == wrong.mistakes)
    #expect(clock.recorder.events == [])
  }

  @Test("The plan of a lifecycle is the same before, during and after its run")
  func plan() async {
    let clock = ManualClock()
    let shop = Lifecycle("shop", grace: .seconds(25), logger: .silent)
    let database = shop.phase("database", limit: .seconds(5), script: .obedient, on: clock)
    shop.phase("web", requires: database, startLimit: .seconds(1), limit: .seconds(3), script: .obedient, on: clock)
    let before = shop.plan(with: OutsideSettings())
    #expect(before.phases.map(\.name) == ["database", "web"])
    #expect(before.worstCase == .seconds(14))
    #expect(clock.recorder.events == [])
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    #expect(shop.plan(with: OutsideSettings()) == before)
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(shop.plan(with: OutsideSettings()) == before)
  }
}
