import Exploration
import GracefulShutdown
import TestHost
import Testing

@Suite("S11: a plan as text", .valuesOnly)
struct PlanTextTests {
  private func plan(
    _ phases: [PhaseGraph.Declaration], grace: Duration = .seconds(28), from origin: GraceOrigin = .program,
    platform: PlatformGrace? = nil, mistakes: [ConfigurationMistake] = []
  ) -> StopPlan {
    StopPlan(
      "shop", grace: GraceSetting(grace, from: origin), platform: platform, graph: PhaseGraph(phases),
      mistakes: mistakes)
  }

  @Test("Trap 9: shows what does not fit, and what to do")
  func tooLong() {
    let plan = plan(
      [
        .init("database", startLimit: .seconds(20), limit: .seconds(5)),
        .init("queue", requires: ["database"], limit: .seconds(5)),
        .init("web", requires: ["queue"], limit: .seconds(10)),
      ], platform: PlatformGrace(.seconds(10), .container))
    #expect(
      plan.text == """
        shop: a stop takes 27.0 s at most, of a grace of 28.0 s (from the program)
            PHASE         LIMIT    DRAINS   FROM     UNTIL   START LIMIT
          > web           10.0 s   10.0 s   0.000 s  13.0 s  none
          >   queue       5.000 s  5.000 s  13.0 s   21.0 s  none
        ! >     database  5.000 s  4.000 s  21.0 s   27.0 s  20.0 s
          start, in waves: database; queue; web
          stop, in waves: web; queue; database
          the slowest of the longest way down (>): web, 13.0 s
        ! with a grace of 29.0 s everybody would have its whole limit, whatever the others do; or shorten
          web by 1.000 s, to 9.000 s
        ! the platform kills after 10.0 s (a container, unless told otherwise), before the grace is over:
          set the stop timeout of the container (docker run --stop-timeout, stop_grace_period) to 28.0 s or
          more, or the grace (GRACEFUL_GRACE_SECONDS) to 10.0 s or less; if it waits longer already, say so
          in GRACEFUL_PLATFORM_GRACE_SECONDS

        """)
  }

  @Test("is short when all is well")
  func well() {
    let plan = plan(
      [.init("web", startLimit: .seconds(2), limit: .seconds(5))], from: .environment,
      platform: PlatformGrace(.seconds(30), .kubernetes))
    #expect(
      plan.text == """
        shop: a stop takes 8.000 s at most, of a grace of 28.0 s (from GRACEFUL_GRACE_SECONDS)
            PHASE  LIMIT    DRAINS   FROM     UNTIL    START LIMIT
          > web    5.000 s  5.000 s  0.000 s  8.000 s  2.000 s
          start, in waves: web
          stop, in waves: web
          the start takes 2.000 s at most
          the slowest of the longest way down (>): web, 8.000 s
          the platform kills after 30.0 s (Kubernetes, unless told otherwise)

        """)
  }

  @Test("names who has no limit although others wait")
  func unlimited() {
    let text = plan([.init("database"), .init("web", requires: ["database"])]).text
    #expect(text.contains("! without a limit, and others wait for it: web; it may leave no time to them"))
  }

  @Test("shows the mistakes instead")
  func mistakes() {
    let mistake = ConfigurationMistake(
      kind: .environment(variable: "GRACEFUL_GRACE_SECONDS", value: "soon\u{1b}[2J", reason: "it must be a number"))
    #expect(
      plan([.init("a", requires: ["a"])], mistakes: [mistake]).text == """
        shop: the configuration is wrong, and nothing would be started
        ! phases require each other in a circle: a → a; take one requirement away
        ! the environment variable GRACEFUL_GRACE_SECONDS is "soon\\u{1B}[2J"; it must be a number, or not be
          set

        """)
  }

  @Test("fits 100 columns, whatever the names, the limits and the number of phases")
  func columns() {
    var random = SplitMix64(seed: 16)
    let names = ["web", String(repeating: "long ", count: 40), "日本語の名前", "e\u{301}\u{202E}\n", "\u{1b}[31m"]
    let limits: [Duration?] = [nil, .longest, .seconds(7), .milliseconds(1), .seconds(86_399), .nanoseconds(1)]
    for _ in 0..<60 {
      let count = Int.random(in: 0..<40, using: &random)
      let phases = (0..<count).map { id in
        PhaseGraph.Declaration(
          "\(names[Int.random(in: 0..<names.count, using: &random)]) \(id)",
          requires: [], startLimit: limits[Int.random(in: 0..<limits.count, using: &random)],
          limit: limits[Int.random(in: 0..<limits.count, using: &random)])
      }
      let linked = phases.enumerated().map { id, phase in
        var phase = phase
        if id > 0, Bool.random(using: &random) {
          phase.requires = [phases[Int.random(in: 0..<id, using: &random)].name]
        }
        return phase
      }
      let text = plan(
        linked, grace: limits[Int.random(in: 1..<limits.count, using: &random)] ?? .zero,
        platform: PlatformGrace(.seconds(1), .environment)
      ).text
      for line in text.split(separator: "\n") {
        #expect(TerminalText(String(line), columns: 1000).columns <= 100, "\(line)")
        #expect(TerminalText(String(line), columns: 1000).string == line, "nothing in it moves the cursor")
      }
    }
  }
}
