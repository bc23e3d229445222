/// Which limits are too long for the grace, and what would do.
///
/// Every phase has its whole limit in the worst case when that holds for the longest way down: on it, each phase drains for
/// its limit, and all but the last are waited for until their cancellation is over. The last one must have drained when
/// the cancel limit begins.
struct ShortLimits {
  /// Phases without a limit although others wait for them.
  let unlimited: [Int]
  /// With this grace, every phase with a limit has all of it.
  let graceNeeded: Duration
  /// Phases that hold a lifecycle whose own grace is too short for what is in it.
  let tightNested: [Int]
  /// The limits that should be shorter, and how long they should be; in the order in which they were found.
  private(set) var shortenings: [(id: Int, limit: Duration)] = []

  private let graph: PhaseGraph
  private let lameDuck: Duration

  // More than a few would not be followed.
  private static let mostCuts = 64

  /// - Parameter lameDuck: As long as it was to be; how much of it there is, depends on the grace.
  init(of graph: PhaseGraph, grace: Duration, lameDuck: Duration = .zero) {
    self.graph = graph
    self.lameDuck = lameDuck
    unlimited = graph.nodes.indices.filter { id in
      let node = graph.nodes[id]
      return node.limit == nil && node.nestedGrace == nil && !node.requires.isEmpty
    }
    // Any time at all; and a phase that holds a lifecycle does nothing itself.
    let limits = graph.nodes.map { $0.nestedGrace == nil ? $0.limit ?? .milliseconds(1) : .zero }
    tightNested = graph.nodes.indices.filter { id in
      guard let grace = graph.nodes[id].nestedGrace else { return false }
      let members = Set(graph.nodes[id].members)
      let way = LongestWay(in: graph, limits, waiting: Self.waiting(for: grace), among: members.contains)
      return way.length > StopTimetable.drainTime(of: grace)
    }
    graceNeeded = Self.graceNeeded(graph, limits, lameDuck)
    shorten(limits, to: grace)
  }

  private mutating func shorten(_ limits: [Duration], to grace: Duration) {
    var limits = limits
    var order: [Int] = []
    let room = Self.room(in: grace, lameDuck)
    for _ in 0..<Self.mostCuts {
      let way = LongestWay(in: graph, limits, waiting: Self.waiting(for: grace))
      guard way.length > room else {
        shortenings = order.map { ($0, limits[$0]) }
        return
      }
      // The slowest, and never to less than half at once: then the next one is the slowest.
      guard let slowest = way.path.max(by: { limits[$0] < limits[$1] }) else { return }
      let shorter = max(limits[slowest] - (way.length - room), limits[slowest] / 2).roundedDown
      guard shorter > .zero, shorter < limits[slowest] else { return }
      limits[slowest] = shorter
      if !order.contains(slowest) { order.append(slowest) }
    }
  }

  /// How long one is waited for after its limit: half of the cancel limit for what is inside it, and then all of it.
  private static func waiting(for grace: Duration) -> Duration {
    let cancelLimit = StopTimetable(grace: grace, at: .now).cancelLimit
    return cancelLimit + cancelLimit / 2
  }

  /// What a grace leaves to those who drain.
  private static func room(in grace: Duration, _ lameDuck: Duration) -> Duration {
    StopTimetable.drainTime(of: grace) - (LameDuck.Timing(limit: lameDuck).clipped(to: grace)?.limit ?? .zero)
  }

  private static func graceNeeded(_ graph: PhaseGraph, _ limits: [Duration], _ lameDuck: Duration) -> Duration {
    func isEnough(_ grace: Duration) -> Bool {
      LongestWay(in: graph, limits, waiting: waiting(for: grace)).length <= room(in: grace, lameDuck)
    }
    // From 8 s of grace on, cancel limit and reserve are always the same.
    let long = Duration.seconds(8)
    let kept = long - StopTimetable.drainTime(of: long)
    let way = LongestWay(in: graph, limits, waiting: waiting(for: long)).length
    // Of a short grace it takes only half of what is left.
    let needed = way + min(lameDuck, way) + kept
    if needed >= long { return needed.roundedUp }
    // Below, they are shares of it. Once it is enough, more is enough, too.
    var (little, enough) = (0, 8000)
    while enough - little > 1 {
      let middle = (little + enough) / 2
      if isEnough(.milliseconds(middle)) { enough = middle } else { little = middle }
    }
    return Duration.milliseconds(enough).roundedUp
  }
}

/// The way down that takes longest when every phase takes its limit, and all but the last a time more.
private struct LongestWay {
  let length: Duration
  let path: [Int]

  init(
    in graph: PhaseGraph, _ limits: [Duration], waiting: Duration, among isThere: (Int) -> Bool = { _ in true }
  ) {
    var until = limits
    var before = [Int?](repeating: nil, count: limits.count)
    for id in graph.downwards where isThere(id) {
      for dependent in graph.nodes[id].requiredBy where isThere(dependent) {
        let waiting = graph.nodes[dependent].nestedGrace == nil ? waiting : .zero
        guard until[dependent] + waiting + limits[id] > until[id] else { continue }
        until[id] = until[dependent] + waiting + limits[id]
        before[id] = dependent
      }
    }
    var path: [Int] = []
    var next = graph.downwards.filter(isThere).max { until[$0] < until[$1] }
    length = next.map { until[$0] } ?? .zero
    while let id = next {
      path.append(id)
      next = before[id]
    }
    self.path = path.reversed()
  }
}

extension Duration {
  /// To what people write down: whole seconds from a minute on, tenths from a second on, milliseconds below.
  var roundedDown: Duration {
    let unit = roundingUnit
    return unit * Int(self / unit)
  }

  var roundedUp: Duration {
    let down = roundedDown
    return down < self ? down + roundingUnit : down
  }

  private var roundingUnit: Duration {
    self >= .seconds(60) ? .seconds(1) : self >= .seconds(1) ? .milliseconds(100) : .milliseconds(1)
  }
}
