import Exploration
import GracefulShutdown

/// The searches of `EveryPathTests`: every sequence of events up to a length, or until no new state appears, for every
/// graph.
///
/// What is checked at each step is in ``PathModel``: the order of S2 on every path, children and sessions before the turn
/// (S3), no wait beyond the deadline (S4), drain before cancel before abandon (S5), every path ends, what was
/// admitted is ended or named.
package struct PathSearch {
  /// How far to go: the time grows with a power of it.
  package enum Reach: String, Sendable {
    /// Seconds without optimisation.
    case short
    /// A minute with optimisation.
    case usual
    /// Many minutes with optimisation.
    case long
  }

  typealias Extent = GraphExplorer.Extent

  /// What it has met so far, a line a search.
  package private(set) var found: [String] = []
  private let reach: Reach

  package init(_ reach: Reach) { self.reach = reach }

  /// All of them, by name.
  package static var all: [(name: String, search: (inout PathSearch) throws -> Void)] {
    [
      ("everything", { try $0.everything() }), ("exhaustive", { try $0.exhaustive() }), ("three", { try $0.three() }),
      ("four", { try $0.four() }), ("restartingOne", { try $0.restartingOne() }),
      ("restartingSome", { try $0.restartingSome() }), ("ends", { try $0.ends() }),
      ("restartingByChance", { for part in 0..<8 { try $0.restartingByChance(part: UInt64(part)) } }),
      ("lameDuck", { try $0.lameDuck() }),
    ]
  }

  /// How many graphs of so many phases there are.
  package static func graphs(of count: Int) -> Int { GraphExplorer.graphs(of: count).count }

  private func length(_ usual: Int, long: Int) -> Int {
    switch reach {
    case .short: usual - 2
    case .usual: usual
    case .long: long
    }
  }

  private var walks: Int {
    switch reach {
    case .short: 25
    case .usual: 250
    case .long: 5000
    }
  }

  private mutating func explore(_ graphs: [[[Int]]], _ extent: Extent) throws {
    var (states, steps, ends, longest) = (0, 0, 0, 0)
    for graph in graphs {
      var explorer = GraphExplorer(requires: graph, grace: .seconds(20), extent: extent)
      try explorer.explore()
      // A search that finds nothing is no search.
      guard explorer.finishes > (reach == .short ? 0 : 100) else {
        throw PathModel.Breach(description: "only \(explorer.finishes) ends in graph \(graph)")
      }
      states += explorer.positions
      steps += explorer.steps
      ends += explorer.finishes
      longest = max(longest, explorer.longest)
    }
    found.append(
      "\(graphs.count) graphs: \(states) states, \(steps) steps, \(ends) ends, sequences of up to \(longest) events")
  }

  /// One and two phases: with sessions, a child phase, stops of one phase alone, every way to end and to stop.
  package mutating func everything() throws {
    try explore(
      GraphExplorer.graphs(of: 1),
      Extent(visited: [0], childOf: 0, alone: [0, 1], everyEnd: [0, 1], longest: length(6, long: 7)))
    try explore(
      GraphExplorer.graphs(of: 2),
      Extent(visited: [0, 1], childOf: 0, alone: [0, 1, 2], everyEnd: [0, 1, 2], longest: length(5, long: 7)))
  }

  /// Two phases with sessions in both, until no new state appears.
  package mutating func exhaustive() throws {
    try explore(
      GraphExplorer.graphs(of: 2), Extent(visited: [0, 1], urgent: reach == .long, longest: reach == .short ? 8 : .max))
  }

  /// Three phases: with sessions in all of them.
  package mutating func three() throws {
    try explore(GraphExplorer.graphs(of: 3), Extent(visited: [0, 1, 2], urgent: false, longest: length(7, long: 9)))
    try explore(GraphExplorer.graphs(of: 3), Extent(everyEnd: [1], longest: length(6, long: 9)))
    try explore(GraphExplorer.graphs(of: 3), Extent(visited: [0, 1, 2], longest: length(5, long: 7)))
    // Everything there is; to seven events there are 612,523 states.
    try explore(
      GraphExplorer.graphs(of: 3),
      Extent(
        visited: [0, 1, 2], childOf: 0, alone: [0, 1, 2, 3], everyEnd: [0, 1, 2, 3], longest: length(4, long: 6)))
  }

  /// Four phases: with sessions in all of them and every urgency, and deeper with sessions in the last one.
  package mutating func four() throws {
    try explore(GraphExplorer.graphs(of: 4), Extent(visited: [0, 1, 2, 3], longest: length(5, long: 7)))
    try explore(GraphExplorer.graphs(of: 4), Extent(visited: [3], urgent: false, longest: length(6, long: 9)))
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

  /// S7: One phase that is started again: never more often than the intensity, and never once a stop has begun.
  package mutating func restartingOne() throws {
    for policy in [
      Self.restarting(), Self.restarting { $0.sessions = .wait }, Self.restarting { $0.condition = .always },
    ] {
      try explore(
        GraphExplorer.graphs(of: 1),
        Extent(
          visited: [0], childOf: 0, alone: [0], everyEnd: [0], restarting: [0: policy], longest: length(6, long: 8)
        ))
    }
  }

  /// S7: Two and three phases; the dependents of a phase that is started again wait, or are started again after it.
  package mutating func restartingSome() throws {
    let (waits, again) = (
      Self.restarting(),
      Self.restarting {
        $0.dependents = .restart; $0.sessions = .wait
      }
    )
    for (first, second) in [(waits, waits), (again, waits), (waits, again), (again, again)] {
      try explore(
        GraphExplorer.graphs(of: 2),
        Extent(
          visited: [1], alone: [1], everyEnd: [0, 1], urgent: false, restarting: [0: first, 1: second],
          longest: length(6, long: 8)))
    }
    for policy in [waits, again] {
      try explore(
        GraphExplorer.graphs(of: 2),
        Extent(
          visited: [0], alone: [0, 1], everyEnd: [0], urgent: false, restarting: [0: policy], slow: [0],
          longest: length(7, long: 9)))
    }
    try explore(
      GraphExplorer.graphs(of: 3), Extent(urgent: false, restarting: [0: again, 1: again], longest: length(7, long: 8)))
  }

  /// S7: Two phases, one of which may be done, or fail by returning, or for good: what requires it, and the exit code.
  package mutating func ends() throws {
    let isFailure = Self.restarting { $0.cleanReturn = .isFailure }
    var once = RestartPolicy.once
    once.dependents = .restart
    var never = RestartPolicy.never
    never.cleanReturn = .isFailure
    for policy in [
      once, never, isFailure, Self.restarting { $0.cleanReturn = .endsPhase },
      Self.restarting { $0.condition = .always },
    ] {
      // Beside a phase that is restarted with its dependents: so is a phase that was done.
      let again = Self.restarting { $0.dependents = .restart }
      for policies in [[0: policy], [0: again, 1: policy]] {
        try explore(
          GraphExplorer.graphs(of: 2),
          Extent(
            visited: [1], alone: [0], everyEnd: [0], urgent: false, restarting: policies, filtered: [0, 1],
            longest: length(5, long: 8)))
      }
    }
  }

  /// S7: Long sequences by chance, in graphs of six phases that restart by policies of every kind.
  package mutating func restartingByChance(part: UInt64) throws {
    var (chance, steps, ends) = (SplitMix64(seed: part), 0, 0)
    func choose(_ count: Int) -> Int { Int.random(in: 0..<count, using: &chance) }
    for _ in 0..<walks {
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
        slow: Set((0..<6).filter { _ in choose(3) == 0 }), lameDuck: choose(2) == 0 ? nil : Self.timing)
      var explorer = GraphExplorer(requires: graph, grace: .seconds(20), extent: extent)
      try explorer.walk(120, choose)
      steps += explorer.steps
      ends += explorer.finishes
    }
    found.append("by chance: \(steps) steps, \(ends) ends")
  }

  private static let timing = LameDuck.Timing(limit: .seconds(5), minimum: .seconds(2), quiet: .seconds(4))

  /// T5: With a lame-duck time: one and two phases, with sessions, a child phase, stops of one alone, and every end.
  package mutating func lameDuck() throws {
    try explore(
      GraphExplorer.graphs(of: 1),
      Extent(
        visited: [0], childOf: 0, alone: [0], everyEnd: [0], lameDuck: Self.timing, longest: length(6, long: 8)))
    try explore(
      GraphExplorer.graphs(of: 2),
      Extent(
        visited: [0, 1], alone: [0, 1], everyEnd: [0, 1], lameDuck: Self.timing, longest: length(5, long: 7)))
    try explore(GraphExplorer.graphs(of: 2), Extent(urgent: false, lameDuck: Self.timing, longest: length(9, long: 12)))
    try explore(
      GraphExplorer.graphs(of: 3),
      Extent(visited: [2], urgent: false, lameDuck: Self.timing, longest: length(6, long: 8)))
  }
}
