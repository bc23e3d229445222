/// A stop in which every phase does the worst: it drains for its whole limit, then still has something inside, and ignores
/// its cancellation.
///
/// The steps are those of ``LifecycleStateMachine`` and the instants those of ``StopTimetable``; that both agree is what
/// the tests of the plan are for. It is a bound for every stop, because to begin later never lets a phase end earlier.
struct WorstStop {
  /// By phase, all of it counted from the request.
  private(set) var drainsAfter: [Duration]
  private(set) var drainsFor: [Duration]
  private(set) var endsAfter: [Duration]
  /// By phase, from 1 on: one later than the last of those that require it.
  private(set) var wave: [Int]
  /// Whose end comes last, behind the one for which it had to wait, and so on.
  private(set) var criticalPath: [Int] = []

  var total: Duration { endsAfter.max() ?? .zero }

  /// - Parameter lameDuck: Before any phase is told to drain, in full length: new sessions come all the time.
  init(of graph: PhaseGraph, grace: Duration, lameDuck: Duration = .zero) {
    drainsAfter = Array(repeating: .zero, count: graph.nodes.count)
    drainsFor = drainsAfter
    endsAfter = drainsAfter
    wave = Array(repeating: 1, count: graph.nodes.count)
    // Any instant does: only what lies between them is looked at.
    let request = MonotonicInstant.now
    let whole = StopTimetable(grace: grace, at: request)
    // Of those that hold a lifecycle, for what is in it.
    var nested: [Int: StopTimetable] = [:]
    for id in graph.downwards {
      let node = graph.nodes[id]
      let begin = request + (node.requiredBy.map { endsAfter[$0] }.max() ?? lameDuck)
      let timetable = node.within.flatMap { nested[$0] } ?? whole
      wave[id] = (node.requiredBy.map { wave[$0] }.max() ?? 0) + 1
      if let grace = node.nestedGrace {
        // It does nothing itself.
        nested[id] = StopTimetable(grace: grace, at: begin).clipped(to: timetable)
        drainsAfter[id] = begin - request
        endsAfter[id] = begin - request
        continue
      }
      let cut = max(begin, timetable.drainUntil(limit: node.limit, from: begin))
      // What is inside has half of the time in which the phase could be waited for.
      let share = timetable.waitUntil(depth: node.depth, from: cut)
      let cancel = share > cut ? cut + (share - cut) / 2 : cut
      let end = max(cancel, timetable.waitUntil(depth: node.depth, from: cancel))
      drainsAfter[id] = begin - request
      drainsFor[id] = cut - begin
      endsAfter[id] = end - request
    }
    criticalPath = Self.path(in: graph, endsAfter)
  }

  private static func path(in graph: PhaseGraph, _ ends: [Duration]) -> [Int] {
    var path: [Int] = []
    var next = Self.latest(of: graph.downwards, ends)
    while let id = next {
      path.append(id)
      next = latest(of: graph.nodes[id].requiredBy, ends)
    }
    return path.reversed()
  }

  /// The first of several.
  private static func latest(of ids: [Int], _ ends: [Duration]) -> Int? {
    var latest: Int?
    for id in ids where latest.map({ ends[$0] < ends[id] }) ?? true { latest = id }
    return latest
  }
}

/// A start in which every phase is ready only as its start limit is over.
struct WorstStart {
  /// `nil` when one may take for ever.
  let total: Duration?

  init(of graph: PhaseGraph) {
    var ready = Array(repeating: Duration.zero, count: graph.nodes.count)
    for id in graph.downwards.reversed() {
      guard let limit = graph.nodes[id].startLimit else {
        total = nil
        return
      }
      ready[id] = (graph.nodes[id].requires.map { ready[$0] }.max() ?? .zero) + limit
    }
    total = ready.max() ?? .zero
  }
}
