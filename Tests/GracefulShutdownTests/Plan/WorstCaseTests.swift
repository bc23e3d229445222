import Exploration
import GracefulShutdown
import TestHost
import Testing

/// The arithmetic of the plan against the state machine that it speaks of.
@Suite(
  "S11: the worst case of a plan, against the state machine", .timeLimit(.minutes(10)), .valuesOnly)
struct WorstCaseTests {
  private static let graphs = 2000

  @Test("is exactly what the machine does, for two thousand graphs of up to six phases")
  func exact() {
    var random = SplitMix64(seed: 11)
    for _ in 0..<Self.graphs {
      let (graph, grace) = (random.graph(most: 6), random.grace())
      let plan = StopPlan("shop", grace: GraceSetting(grace), graph: graph)
      let run = WorstRun(graph, grace: grace)
      #expect(plan.worstCase == run.took, "\(graph.nodes) in \(grace)")
      for (id, phase) in plan.phases.enumerated() {
        #expect(phase.drainsAfter == run.began[id], "\(graph.nodes) in \(grace)")
        #expect(phase.endsAfter == run.ended[id], "\(graph.nodes) in \(grace)")
        #expect((phase.drainsAfter ?? .zero) + (phase.drainsFor ?? .zero) == run.cut[id], "\(graph.nodes) in \(grace)")
      }
    }
  }

  @Test("is exactly what the machine does, and a bound, for two thousand graphs in which phases hold lifecycles")
  func nested() {
    var random = SplitMix64(seed: 15)
    for _ in 0..<Self.graphs {
      let (graph, grace) = (random.nested(most: 4), random.grace())
      #expect(graph.mistakes.isEmpty)
      let plan = StopPlan("shop", grace: GraceSetting(grace), graph: graph)
      let run = WorstRun(graph, grace: grace)
      #expect(plan.worstCase == run.took, "\(graph.nodes) in \(grace)")
      for (id, phase) in plan.phases.enumerated() {
        #expect(phase.drainsAfter == run.began[id], "\(graph.nodes) in \(grace)")
        #expect(phase.endsAfter == run.ended[id], "\(graph.nodes) in \(grace)")
      }
      var seeds = SplitMix64(seed: random.next())
      let better = WorstRun(graph, grace: grace) { _, _ in Int.random(in: 0..<3, using: &seeds) == 0 }
      #expect((better.took ?? .longest) <= (plan.worstCase ?? .zero), "\(graph.nodes) in \(grace)")
    }
  }

  @Test("is exactly what the machine does with a lame-duck time, and a bound when it is quiet, for two thousand graphs")
  func lameDuck() {
    var random = SplitMix64(seed: 16)
    var clipped = 0
    for _ in 0..<Self.graphs {
      let (graph, grace) = (random.next() % 2 == 0 ? random.graph(most: 6) : random.nested(most: 4), random.grace())
      let time = random.lameDuck()
      let plan = StopPlan("shop", grace: GraceSetting(grace), lameDuck: LameDuck.Setting(time), graph: graph)
      if plan.lameDuck?.isClipped == true { clipped += 1 }
      let run = WorstRun(graph, grace: grace, lameDuck: time)
      #expect(run.report?.lameDuck?.took == plan.lameDuck?.limit)
      #expect(plan.worstCase == run.took, "\(graph.nodes) in \(grace), \(time)")
      for (id, phase) in plan.phases.enumerated() {
        #expect(phase.drainsAfter == run.began[id], "\(graph.nodes) in \(grace), \(time)")
        #expect(phase.endsAfter == run.ended[id], "\(graph.nodes) in \(grace), \(time)")
      }
      var seeds = SplitMix64(seed: random.next())
      let better = WorstRun(graph, grace: grace, lameDuck: time, isQuiet: seeds.next() % 2 == 0) { _, _ in
        Int.random(in: 0..<3, using: &seeds) == 0
      }
      #expect((better.took ?? .longest) <= (plan.worstCase ?? .zero), "\(graph.nodes) in \(grace), \(time)")
    }
    #expect((Self.graphs / 10..<Self.graphs * 9 / 10).contains(clipped), "both are tried: \(clipped)")
  }

  @Test("is a bound: no stop in which some phases do as they are told, takes longer")
  func bound() {
    var random = SplitMix64(seed: 12)
    for _ in 0..<Self.graphs {
      let (graph, grace) = (random.graph(most: 6), random.grace())
      var seeds = SplitMix64(seed: random.next())
      let run = WorstRun(graph, grace: grace) { _, _ in Int.random(in: 0..<3, using: &seeds) == 0 }
      let plan = StopPlan("shop", grace: GraceSetting(grace), graph: graph)
      #expect((run.took ?? .longest) <= (plan.worstCase ?? .zero), "\(graph.nodes) in \(grace)")
    }
  }

  @Test("leaves a reserve for the report and the exit, whatever the limits are")
  func reserve() {
    var random = SplitMix64(seed: 13)
    for _ in 0..<(Self.graphs / 4) {
      let (graph, grace) = (random.graph(most: 6), random.grace())
      let plan = StopPlan("shop", grace: GraceSetting(grace), graph: graph)
      #expect((plan.worstCase ?? .longest) <= grace - min(.seconds(1), grace / 4))
    }
  }

  @Test("fits exactly when the grace is as long as is needed, and nobody who is waited for has no limit")
  func fits() {
    var random = SplitMix64(seed: 14)
    var fitting = 0
    for _ in 0..<Self.graphs {
      let (graph, grace) = (random.graph(most: 6, limited: random.next() % 4 > 0), random.grace())
      let lameDuck = random.next() % 2 == 0 ? nil : LameDuck.Setting(random.lameDuck())
      let plan = StopPlan("shop", grace: GraceSetting(grace), lameDuck: lameDuck, graph: graph)
      guard let needed = plan.graceNeeded else { Issue.record("no grace would do"); return }
      if plan.fits { fitting += 1 }
      if grace >= needed { #expect(plan.fits == plan.unlimited.isEmpty, "\(graph.nodes) in \(grace)") }
      guard plan.unlimited.isEmpty else { continue }
      let enough = StopPlan("shop", grace: GraceSetting(needed), lameDuck: lameDuck, graph: graph)
      #expect(enough.fits, "\(graph.nodes) in \(needed)")
      // One without a limit is content with any time at all, and how little that is, is not what is asked here.
      guard graph.nodes.allSatisfy({ $0.limit != nil }) else { continue }
      // It is rounded up to what people write down: 1 ms under a second, a tenth under a minute, then a second.
      let less =
        needed - (needed >= .seconds(60) ? .seconds(1) : needed > .seconds(1) ? .milliseconds(101) : .milliseconds(2))
      #expect(
        !StopPlan("shop", grace: GraceSetting(less), lameDuck: lameDuck, graph: graph).fits, "\(graph.nodes) in \(less)"
      )
    }
    #expect((Self.graphs / 10..<Self.graphs * 9 / 10).contains(fitting), "both are tried: \(fitting)")
  }

  @Test("fits once the limits are as short as the plan says")
  func shortened() {
    var random = SplitMix64(seed: 15)
    var shortened = 0
    for _ in 0..<Self.graphs {
      let (graph, grace) = (random.graph(most: 6, limited: true), random.grace())
      let lameDuck = random.next() % 2 == 0 ? nil : LameDuck.Setting(random.lameDuck())
      let plan = StopPlan("shop", grace: GraceSetting(grace), lameDuck: lameDuck, graph: graph)
      #expect(!plan.fits || plan.shortenings.isEmpty)
      guard !plan.shortenings.isEmpty else { continue }
      shortened += 1
      let shorter = PhaseGraph(
        plan.phases.map { phase in
          let cut = plan.shortenings.first { $0.phase == phase.name }
          #expect(cut.map { $0.from == phase.limit && $0.to < $0.from && $0.to > .zero } ?? true)
          return .init(phase.name, requires: phase.requires, limit: cut?.to ?? phase.limit)
        })
      #expect(
        StopPlan("shop", grace: GraceSetting(grace), lameDuck: lameDuck, graph: shorter).fits,
        "\(graph.nodes) in \(grace)")
    }
    #expect(shortened > Self.graphs / 10)
  }

  @Test("of ten thousand phases in a chain is reckoned without recursion, and at once")
  func tenThousand() {
    let graph = PhaseGraph(
      (0..<10_000).map {
        .init("p\($0)", requires: $0 == 0 ? [] : ["p\($0 - 1)"], startLimit: .seconds(1), limit: .seconds(1))
      })
    let plan = StopPlan("shop", grace: GraceSetting(.seconds(25)), graph: graph)
    #expect(plan.criticalPath.count == 10_000)
    #expect(plan.stopWaves.count == 10_000)
    #expect(plan.worstCase.map { $0 <= .seconds(24) } == true)
    #expect(plan.startWorstCase == .seconds(10_000))
    #expect(plan.shortenings == [], "no limit is short enough for that")
    #expect(plan.text.utf8.count < 40_000)
  }
}
