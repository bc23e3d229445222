import Foundation
import Testing
import WholeMachine

@testable import GracefulShutdown

/// Every sequence of events up to the stated length, or until no new state appears, for every graph.
///
/// What is checked at each step is in ``PathModel``: the order of S2 on every path, children and sessions before the turn
/// (S3), nobody waited for beyond the deadline (S4), drain before cancel before abandon (S5), every path ends, what was
/// admitted is ended or named. With `GRACEFUL_EXPLORE=long` in the environment the lengths are those of the second
/// column, which takes minutes.
@Suite("Every path through every graph of up to four phases", .wholeMachine, .serialized, .valuesOnly)
struct EveryPathTests {
  typealias Extent = GraphExplorer.Extent

  private static let isLong = ProcessInfo.processInfo.environment["GRACEFUL_EXPLORE"] == "long"

  private static func length(_ usual: Int, long: Int) -> Int { isLong ? long : usual }

  private static func explore(_ graphs: [[[Int]]], _ extent: ([[Int]]) -> Extent) throws {
    var (states, steps, ends, longest) = (0, 0, 0, 0)
    for graph in graphs {
      var explorer = GraphExplorer(requires: graph, grace: .seconds(20), extent: extent(graph))
      try explorer.explore()
      // A search that finds nothing is no search.
      #expect(explorer.finishes > 100)
      states += explorer.positions
      steps += explorer.steps
      ends += explorer.finishes
      longest = max(longest, explorer.longest)
    }
    print(
      "\(graphs.count) graphs: \(states) states, \(steps) steps, \(ends) ends, sequences of up to \(longest) events")
  }

  @Test("One and two phases: with sessions, a child phase, stops of one phase alone, every way to end and to stop")
  func everything() throws {
    try Self.explore(GraphExplorer.graphs(of: 1)) { _ in
      Extent(visited: [0], childOf: 0, alone: [0, 1], everyEnd: [0, 1], longest: Self.length(6, long: 7))
    }
    try Self.explore(GraphExplorer.graphs(of: 2)) { _ in
      Extent(visited: [0, 1], childOf: 0, alone: [0, 1, 2], everyEnd: [0, 1, 2], longest: Self.length(5, long: 7))
    }
  }

  @Test("Two phases with sessions in both, until no new state appears")
  func exhaustive() throws {
    try Self.explore(GraphExplorer.graphs(of: 2)) { _ in
      Extent(visited: [0, 1], urgent: Self.isLong, longest: Self.length(.max, long: .max))
    }
  }

  @Test("Three phases: with sessions in all of them")
  func three() throws {
    try Self.explore(GraphExplorer.graphs(of: 3)) { _ in
      Extent(visited: [0, 1, 2], urgent: false, longest: Self.length(7, long: 9))
    }
    try Self.explore(GraphExplorer.graphs(of: 3)) { _ in Extent(everyEnd: [1], longest: Self.length(6, long: 9)) }
    try Self.explore(GraphExplorer.graphs(of: 3)) { _ in Extent(visited: [0, 1, 2], longest: Self.length(5, long: 7)) }
    // Everything there is; to seven events there are 612,523 states.
    try Self.explore(GraphExplorer.graphs(of: 3)) { _ in
      Extent(
        visited: [0, 1, 2], childOf: 0, alone: [0, 1, 2, 3], everyEnd: [0, 1, 2, 3], longest: Self.length(4, long: 6))
    }
  }

  @Test("Four phases: with sessions in all of them and every urgency, and deeper with sessions in the last one")
  func four() throws {
    try Self.explore(GraphExplorer.graphs(of: 4)) { _ in
      Extent(visited: [0, 1, 2, 3], longest: Self.length(5, long: 7))
    }
    try Self.explore(GraphExplorer.graphs(of: 4)) { _ in
      Extent(visited: [3], urgent: false, longest: Self.length(6, long: 9))
    }
  }

  /// With an intensity of two, so that the third failure is one too many.
  private static func restarting(_ change: (inout RestartPolicy) -> Void = { _ in }) -> RestartPolicy {
    var policy = RestartPolicy.onFailure(intensity: 2, window: .seconds(86_400))
    policy.jitter = 0
    policy.decay = .zero
    policy.firstDelay = .seconds(1)
    policy.factor = 1
    change(&policy)
    return policy
  }

  @Test("S7: One phase that is started again: never more often than the intensity, and never once a stop has begun")
  func restartingOne() throws {
    for policy in [
      Self.restarting(), Self.restarting { $0.sessions = .wait }, Self.restarting { $0.condition = .always },
    ] {
      try Self.explore(GraphExplorer.graphs(of: 1)) { _ in
        Extent(
          visited: [0], childOf: 0, alone: [0], everyEnd: [0], restarting: [0: policy], longest: Self.length(6, long: 8)
        )
      }
    }
  }

  @Test("S7: Two and three phases, those that require one that is started again wait, or are started again after it")
  func restartingSome() throws {
    let (waits, again) = (
      Self.restarting(),
      Self.restarting {
        $0.dependents = .restart; $0.sessions = .wait
      }
    )
    for (first, second) in [(waits, waits), (again, waits), (waits, again), (again, again)] {
      try Self.explore(GraphExplorer.graphs(of: 2)) { _ in
        Extent(
          visited: [1], alone: [1], everyEnd: [0, 1], urgent: false, restarting: [0: first, 1: second],
          longest: Self.length(6, long: 8))
      }
    }
    for policy in [waits, again] {
      try Self.explore(GraphExplorer.graphs(of: 2)) { _ in
        Extent(
          visited: [0], alone: [0, 1], everyEnd: [0], urgent: false, restarting: [0: policy], slow: [0],
          longest: Self.length(7, long: 9))
      }
    }
    try Self.explore(GraphExplorer.graphs(of: 3)) { _ in
      Extent(urgent: false, restarting: [0: again, 1: again], longest: Self.length(7, long: 8))
    }
  }

  @Test(
    "S7: Two phases, one of which may be done, or fail by returning, or for good: what requires it, and the exit code")
  func ends() throws {
    let isFailure = Self.restarting { $0.cleanReturn = .isFailure }
    var once = RestartPolicy.once
    once.dependents = .restart
    var never = RestartPolicy.never
    never.cleanReturn = .isFailure
    for policy in [
      once, never, isFailure, Self.restarting { $0.cleanReturn = .endsPhase },
      Self.restarting { $0.condition = .always },
    ] {
      // Beside one that is restarted with those that require it: so is one that was done.
      let again = Self.restarting { $0.dependents = .restart }
      for policies in [[0: policy], [0: again, 1: policy]] {
        try Self.explore(GraphExplorer.graphs(of: 2)) { _ in
          Extent(
            visited: [1], alone: [0], everyEnd: [0], urgent: false, restarting: policies, filtered: [0, 1],
            longest: Self.length(5, long: 8))
        }
      }
    }
  }

  @Test(
    "S7: Long sequences by chance, in graphs of six phases that restart by policies of every kind", arguments: 0..<8)
  func restartingByChance(part: UInt64) throws {
    var (chance, steps, ends) = (Chance(seed: part), 0, 0)
    func choose(_ count: Int) -> Int { min(Int((chance.next() + 1) / 2 * Double(count)), count - 1) }
    for _ in 0..<(Self.length(250, long: 5000)) {
      let graph = (0..<6).map { id in (0..<id).filter { _ in choose(2) == 0 } }
      let policies = (0..<6).map { _ in
        Self.restarting { policy in
          policy.condition = choose(2) == 0 ? .always : .onFailure
          policy.dependents = choose(2) == 0 ? .restart : .wait
          policy.sessions = choose(2) == 0 ? .wait : .refuse
          policy.intensity = 20
        }
      }
      let extent = Extent(
        visited: Set((0..<6).filter { _ in choose(3) == 0 }), everyEnd: Set((0..<6).filter { _ in choose(2) == 0 }),
        urgent: choose(2) == 0,
        restarting: Dictionary(
          uniqueKeysWithValues: policies.enumerated().filter { _ in choose(4) > 0 }.map { ($0, $1) }),
        slow: Set((0..<6).filter { _ in choose(3) == 0 }), lameDuck: choose(2) == 0 ? nil : Self.lameDuck)
      var explorer = GraphExplorer(requires: graph, grace: .seconds(20), extent: extent)
      try explorer.walk(120, choose)
      steps += explorer.steps
      ends += explorer.finishes
    }
    print("by chance: \(steps) steps, \(ends) ends")
  }

  private static let lameDuck = LameDuck.Timing(limit: .seconds(5), minimum: .seconds(2), quiet: .seconds(4))

  @Test(
    "T5: With a lame-duck time: one and two phases, with sessions, a child phase, stops of one alone, and every end")
  func lameDuck() throws {
    try Self.explore(GraphExplorer.graphs(of: 1)) { _ in
      Extent(
        visited: [0], childOf: 0, alone: [0], everyEnd: [0], lameDuck: Self.lameDuck, longest: Self.length(6, long: 8))
    }
    try Self.explore(GraphExplorer.graphs(of: 2)) { _ in
      Extent(
        visited: [0, 1], alone: [0, 1], everyEnd: [0, 1], lameDuck: Self.lameDuck, longest: Self.length(5, long: 7))
    }
    try Self.explore(GraphExplorer.graphs(of: 2)) { _ in
      Extent(urgent: false, lameDuck: Self.lameDuck, longest: Self.length(9, long: 12))
    }
    try Self.explore(GraphExplorer.graphs(of: 3)) { _ in
      Extent(visited: [2], urgent: false, lameDuck: Self.lameDuck, longest: Self.length(6, long: 8))
    }
  }

  @Test("There are 1, 2, 8 and 64 graphs of one to four phases")
  func graphs() {
    #expect([1, 2, 3, 4].map { GraphExplorer.graphs(of: $0).count } == [1, 2, 8, 64])
  }
}
