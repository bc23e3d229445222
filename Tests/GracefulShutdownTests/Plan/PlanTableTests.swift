import GracefulShutdown
import Testing

/// The plans of known graphs, number by number.
@Suite("S11: the plan of a graph")
struct PlanTableTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var grace = Duration.seconds(28)
    var phases: [PhaseGraph.Declaration]
    var worstCase: Duration
    var path: [String]
    var stopWaves: [[String]]
    var fits = true
    var graceNeeded: Duration
    var shortenings: [StopPlan.Shortening] = []
  }

  static let cases = [
    Case(
      testDescription: "one phase", phases: [.init("web", limit: .seconds(5))],
      // 5 to drain, 1 for what is inside, 2 for itself.
      worstCase: .seconds(8), path: ["web"], stopWaves: [["web"]], graceNeeded: .seconds(8)),
    Case(
      testDescription: "one phase that may take all that the grace leaves", phases: [.init("web", limit: .seconds(25))],
      worstCase: .seconds(27), path: ["web"], stopWaves: [["web"]], graceNeeded: .seconds(28)),
    Case(
      testDescription: "a chain that is too long",
      phases: [
        .init("database", limit: .seconds(5)), .init("queue", requires: ["database"], limit: .seconds(5)),
        .init("web", requires: ["queue"], limit: .seconds(10)),
      ],
      // 13 and 8, and the database drains from 21 to 25.
      worstCase: .seconds(27), path: ["web", "queue", "database"], stopWaves: [["web"], ["queue"], ["database"]],
      fits: false, graceNeeded: .seconds(29),
      shortenings: [.init(phase: "web", from: .seconds(10), to: .seconds(9))]),
    Case(
      testDescription: "a chain that fits exactly", grace: .seconds(29),
      phases: [
        .init("database", limit: .seconds(5)), .init("queue", requires: ["database"], limit: .seconds(5)),
        .init("web", requires: ["queue"], limit: .seconds(10)),
      ],
      worstCase: .seconds(28), path: ["web", "queue", "database"], stopWaves: [["web"], ["queue"], ["database"]],
      graceNeeded: .seconds(29)),
    Case(
      testDescription: "a diamond: the slower side counts",
      phases: [
        .init("database", limit: .seconds(2)), .init("cache", requires: ["database"], limit: .seconds(1)),
        .init("queue", requires: ["database"], limit: .seconds(6)),
        .init("web", requires: ["queue", "cache"], limit: .seconds(3)),
      ],
      worstCase: .seconds(20), path: ["web", "queue", "database"],
      stopWaves: [["web"], ["cache", "queue"], ["database"]], graceNeeded: .seconds(20)),
    Case(
      testDescription: "a fan: all at the same time, then what all of them require",
      phases: [.init("log", limit: .seconds(1))]
        + (1...5).map { .init("worker \($0)", requires: ["log"], limit: .seconds($0)) },
      worstCase: .seconds(12), path: ["worker 5", "log"],
      stopWaves: [(1...5).map { "worker \($0)" }, ["log"]], graceNeeded: .seconds(12)),
    Case(
      testDescription: "two that do not know each other",
      phases: [.init("a", limit: .seconds(3)), .init("b", limit: .seconds(4))],
      worstCase: .seconds(7), path: ["b"], stopWaves: [["a", "b"]], graceNeeded: .milliseconds(6700)),
    Case(
      testDescription: "twelve phases",
      grace: .seconds(40), phases: twelve, worstCase: .seconds(32), path: ["edge", "api", "queue", "store", "secrets"],
      stopWaves: [
        ["edge", "admin", "cron"], ["web", "api"], ["cache", "queue", "mail"], ["store", "search"], ["log", "secrets"],
      ], graceNeeded: .seconds(32)),
    Case(
      testDescription: "nobody has a limit",
      grace: .seconds(25), phases: [.init("database"), .init("web", requires: ["database"])],
      worstCase: .seconds(24), path: ["web", "database"], stopWaves: [["web"], ["database"]], fits: false,
      // A millisecond each: no limit says more.
      graceNeeded: .milliseconds(16)),
    Case(
      testDescription: "a short grace, of which shares are kept", grace: .seconds(2),
      phases: [.init("web", limit: .seconds(2))],
      worstCase: .milliseconds(1500), path: ["web"], stopWaves: [["web"]], fits: false, graceNeeded: .seconds(4),
      shortenings: [.init(phase: "web", from: .seconds(2), to: .seconds(1))]),
  ]

  static let twelve: [PhaseGraph.Declaration] = [
    .init("log", limit: .seconds(1)), .init("secrets", limit: .seconds(1)),
    .init("store", requires: ["log", "secrets"], limit: .seconds(4)),
    .init("search", requires: ["log"], limit: .seconds(2)),
    .init("cache", requires: ["store"], limit: .seconds(1)),
    .init("queue", requires: ["store"], limit: .seconds(5)),
    .init("mail", requires: ["search"], limit: .seconds(3)),
    .init("web", requires: ["cache", "mail"], limit: .seconds(5)),
    .init("api", requires: ["queue", "cache"], limit: .seconds(5)),
    .init("edge", requires: ["web", "api"], limit: .seconds(2)),
    .init("admin", requires: ["api"], limit: .seconds(1)), .init("cron", requires: ["queue"], limit: .seconds(2)),
  ]

  @Test("is as reckoned by hand", arguments: cases)
  func table(expected: Case) {
    let graph = PhaseGraph(expected.phases)
    let plan = StopPlan("shop", grace: GraceSetting(expected.grace), graph: graph)
    #expect(plan.worstCase == expected.worstCase)
    #expect(plan.worstCase == WorstRun(graph, grace: expected.grace).took, "and as the machine does it")
    #expect(plan.criticalPath == expected.path)
    #expect(plan.stopWaves == expected.stopWaves)
    #expect(plan.fits == expected.fits)
    #expect(plan.graceNeeded == expected.graceNeeded)
    #expect(plan.shortenings == expected.shortenings)
    #expect(plan.exitCode == 0)
    #expect(plan.startWorstCase == nil)
  }

  @Test("says who starts with whom, and how long the start may take")
  func start() {
    let graph = PhaseGraph([
      .init("web", requires: ["queue"], startLimit: .seconds(3)), .init("queue", startLimit: .seconds(20)),
      .init("probe", startLimit: .seconds(1)),
    ])
    let plan = StopPlan("shop", grace: GraceSetting(.seconds(25)), graph: graph)
    #expect(plan.startWaves == [["queue", "probe"], ["web"]])
    #expect(plan.startWorstCase == .seconds(23))
  }

  @Test("names the slowest on the longest way down, not the slowest of all")
  func slowest() {
    let graph = PhaseGraph([
      .init("log", limit: .seconds(1)), .init("a", requires: ["log"], limit: .seconds(4)),
      .init("b", requires: ["a"], limit: .seconds(4)), .init("alone", limit: .seconds(7)),
    ])
    #expect(StopPlan("shop", grace: GraceSetting(.seconds(25)), graph: graph).slowest == "a")
  }

  @Test("has the mistakes, and then neither waves nor times")
  func mistakes() {
    let graph = PhaseGraph([
      .init("a", requires: ["b"], limit: .zero), .init("b", requires: ["a"]), .init("b", requires: ["x"]),
    ])
    let plan = StopPlan("shop", grace: GraceSetting(.zero), graph: graph)
    #expect(plan.mistakes.count == 5)
    #expect(plan.exitCode == 78)
    #expect(!plan.fits)
    #expect((plan.worstCase, plan.graceNeeded, plan.startWorstCase, plan.slowest) == (nil, nil, nil, nil))
    #expect(plan.startWaves.isEmpty && plan.stopWaves.isEmpty && plan.shortenings.isEmpty)
    #expect(plan.phases.map(\.name) == ["a", "b", "b"])
    #expect(plan.phases.allSatisfy { $0.drainsAfter == nil && $0.startWave == nil })
  }

  @Test("of nothing is nothing")
  func empty() {
    let plan = StopPlan("shop", grace: GraceSetting(.seconds(25)), graph: PhaseGraph([]))
    #expect(plan.worstCase == .zero)
    #expect(plan.fits)
    #expect(plan.slowest == nil)
  }
}
