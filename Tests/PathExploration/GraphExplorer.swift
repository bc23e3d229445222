import GracefulShutdown

/// Tries every event that can come, in every state that can be reached, and holds each action against the promises of
/// ``PathModel``, which knows the events and actions alone.
struct GraphExplorer {
  typealias Machine = LifecycleStateMachine
  typealias Instant = LifecycleStateMachine.Instant

  struct Position {
    var machine: Machine
    var model: PathModel
    var now: Instant

    func key(_ start: Instant) -> Key { Key(model: model, position: machine.position(since: start), now: now) }
  }

  struct Key: Hashable {
    var model: PathModel
    var position: Machine.Position
    var now: Instant

    /// Enough to tell nearly all apart; to hash the rest takes most of the time.
    func hash(into hasher: inout Hasher) {
      hasher.combine(model)
      hasher.combine(position)
    }
  }

  /// What can happen beside starts, ends, stops and time.
  struct Extent {
    /// Sessions are inside these when they are told to drain; the gate of the others is empty at once.
    var visited: Set<Int> = []
    /// A child phase may be opened in this one, once.
    var childOf: Int?
    /// These may be stopped alone.
    var alone: Set<Int> = []
    /// Every way to end for these; the others return.
    var everyEnd: Set<Int> = []
    /// Further requests after the first, beside SIGTERM.
    var urgent = true
    /// These are started again when they come back.
    var restarting: [Int: RestartPolicy] = [:]
    /// These may throw what their filter lets through to the end.
    var filtered: Set<Int> = []
    /// These must be ready in time.
    var slow: Set<Int> = [1]
    /// A stop begins with it.
    var lameDuck: LameDuck.Timing?
    var longest = Int.max
  }

  static let isChatty = false
  let requires: [[Int]]
  let grace: Duration
  let extent: Extent
  private(set) var positions = 0
  private(set) var steps = 0
  private(set) var finishes = 0
  /// The length of the longest sequence that leads to something new.
  private(set) var longest = 0

  init(requires: [[Int]], grace: Duration, extent: Extent) {
    self.requires = requires
    self.grace = grace
    self.extent = extent
  }

  /// All directed graphs without cycles of so many phases in which a phase requires only earlier ones: up to names,
  /// these are all.
  static func graphs(of count: Int) -> [[[Int]]] {
    guard count > 0 else { return [[]] }
    let last = count - 1
    return graphs(of: last).flatMap { graph in
      (0..<(1 << last)).map { choice in graph + [(0..<last).filter { choice >> $0 & 1 == 1 }] }
    }
  }

  /// Until there is no state that has not been seen, which is every sequence of events; or to the stated length.
  mutating func explore() throws {
    let begin = first
    let start = begin.now
    var seen: Set<Key> = []
    var level = [begin]
    while !level.isEmpty, longest < extent.longest {
      var next: [Position] = []
      for position in level where seen.insert(position.key(start)).inserted {
        try checkThatItEnds(position)
        for (event, time) in events(at: position) { next.append(try step(position, event, at: time)) }
      }
      level = next
      if Self.isChatty { print(requires, longest, seen.count, next.count) }
      longest += 1
    }
    positions = seen.count
  }

  /// Nothing has happened yet.
  private var first: Position {
    let declarations = requires.enumerated().map { id, requires in
      // Limits of their own for the first and the second, so that these and the whole's deadline are all met.
      PhaseGraph.Declaration(
        "\(id)", requires: requires.map { "\($0)" }, startLimit: extent.slow.contains(id) ? .seconds(2) : nil,
        limit: id == 0 ? .seconds(3) : nil, restart: extent.restarting[id] ?? .never)
    }
    let machine = Machine(
      name: "explored", grace: grace, lameDuck: extent.lameDuck, graph: PhaseGraph(declarations))
    var model = PathModel()
    // Those that are started again, and those that require them, are stopped alone for it.
    model.alone = !extent.restarting.isEmpty
    for id in extent.slow { model.startLimits[id] = .seconds(2) }
    // The window is longer than any sequence.
    model.most = extent.restarting.mapValues { min($0.intensity, $0.window > .seconds(3600) ? .max : 0) }
    return Position(machine: machine, model: model, now: MonotonicInstant.now)
  }

  /// One long sequence, chosen by chance, where to try all of them would take too long.
  mutating func walk(_ length: Int, _ choose: (Int) -> Int) throws {
    var position = first
    for _ in 0..<length {
      try checkThatItEnds(position)
      let events = events(at: position)
      if events.isEmpty { return }
      // Much of what can happen ends what is to be seen.
      let calm = events.filter { !endsTheWhole($0.0, at: position) && $0.1 < position.now + grace }
      let (event, time) = choose(60) == 0 || calm.isEmpty ? events[choose(events.count)] : calm[choose(calm.count)]
      position = try step(position, event, at: time)
    }
  }

  private func endsTheWhole(_ event: Machine.Event, at position: Position) -> Bool {
    switch event {
    case .stop, .stopPhase: return extent.lameDuck == nil || position.model.stopped
    case .ended(let id, let outcome) where !position.model.heard.contains(id):
      guard let policy = extent.restarting[id] else { return true }
      return outcome == .returned && policy.condition != .always
    default: return false
    }
  }

  /// Everything that the world can do here; that time stands still until the next wake-up is part of it.
  private func events(at position: Position) -> [(Machine.Event, Instant)] {
    let (model, now) = (position.model, position.now)
    guard !model.finished else { return [] }
    var events: [(Machine.Event, Instant)] = []
    if case .idle(let requests) = position.machine.state {
      events.append((.run, now))
      // More requests before the start than these two tell nothing new.
      return requests.count < 2 ? events + stops(now) : events
    }
    for id in model.begun where !model.cameBack.contains(id) {
      if model.parents[id] == nil, model.isLive(id), !model.ready.contains(id) { events.append((.ready(id), now)) }
      guard model.isLive(id) else { continue }
      events.append((.ended(id, .returned), now))
      if extent.filtered.contains(id), !model.heard.contains(id) {
        events += [.threw("e"), .threwCancellation].map { (.ended(id, .forGood($0)), now) }
      }
      guard extent.everyEnd.contains(id) else { continue }
      events += [.threw("e"), .threwCancellation, .cutShort("c")].map { (.ended(id, $0), now) }
    }
    for id in model.drained where isVisited(id) && model.isLive(id) && !model.empty.contains(id) {
      // A child inside holds the gate.
      if model.childrenInside(id).isEmpty { events.append((.emptied(id), now)) }
    }
    if let parent = extent.childOf, model.parents.isEmpty, model.isLive(parent), !model.empty.contains(parent) {
      let child = Machine.Child(id: requires.count, parent: parent, name: "child", limit: .seconds(1))
      events.append((.opened(child), now))
    }
    for id in extent.alone.sorted() where id < requires.count || model.isLive(id) {
      events.append((.stopPhase(id, .drain), now))
      if extent.urgent { events.append((.stopPhase(id, .cancelNow), now)) }
    }
    events += stops(now)
    if let look = model.look {
      // No session has come, or one has; and so late that something else is over.
      events += [(.looked(model.admitted), max(look, now)), (.looked(model.admitted + 1), max(look, now))]
      events.append((.looked(model.admitted), max(look, now) + .seconds(1)))
    }
    if let wake = model.wake {
      events.append((.wake, wake))
      // Early, and so late that everything is over.
      if wake > now { events.append((.wake, now)) }
      events.append((.wake, now + grace))
    }
    return events
  }

  private func stops(_ now: Instant) -> [(Machine.Event, Instant)] {
    var stops = [StopRequest(source: .signal(15))]
    if extent.urgent {
      stops += [StopRequest(), StopRequest(urgency: .cancelNow), StopRequest(urgency: .exitNow)]
      if extent.lameDuck != nil { stops.append(StopRequest(source: .successor(7))) }
    }
    return stops.map { (.stop($0), now) }
  }

  /// A child, whose gate no other session enters, is in the hands of the world as well.
  private func isVisited(_ id: Int) -> Bool { extent.visited.contains(id) || id == extent.childOf }

  private mutating func step(_ position: Position, _ event: Machine.Event, at time: Instant) throws -> Position {
    var next = position
    next.now = time
    var queue = [event]
    while let event = queue.first {
      queue.removeFirst()
      steps += 1
      let before = next.model
      next.model.note(event, requires: requires, policies: extent.restarting, grace: grace, at: time)
      let actions = next.machine.receive(event, at: time)
      // What only the machine knows: three SIGTERM exit, and the last that was stopped alone stops the whole.
      if case .finished(let report) = next.machine.state, report.endedBySignal != nil { next.model.exiting = true }
      // A wake-up may start one phase and then, giving up another one, stop the whole: in this order.
      let stops = if case .stopping = next.machine.state { true } else { false }
      if stops, extent.restarting.isEmpty || event != .wake { next.model.stop(grace, at: time) }
      if event == .wake, !before.stopped, next.model.stopped { extent.slow.forEach { next.model.noteSlowStart($0) } }
      for (index, action) in actions.enumerated() {
        if stops, !actions[index...].contains(where: isBeginning) { next.model.stop(grace, at: time) }
        do {
          try next.model.perform(
            action, of: actions, to: event, wasStopped: before.stopped, requires: requires, at: time)
        } catch let breach as PathModel.Breach {
          throw PathModel.Breach(description: "\(breach) at \(event), graph \(requires)")
        }
        if case .phase(let id, .drain) = action, !isVisited(id) { queue.append(.emptied(id)) }
      }
      if case .stopping = next.machine.state { next.model.stop(grace, at: time) }
    }
    if next.model.finished { finishes += 1 }
    let own = next.model.begun.subtracting(FewPhases(next.model.parents.keys))
    if case .idle = next.machine.state { return next }
    if next.model.stopped, own.isSubset(of: next.model.gone), !next.model.finished {
      throw PathModel.Breach(description: "all have ended, the lifecycle has not: \(next.model), graph \(requires)")
    }
    return next
  }

  private func isBeginning(_ action: Machine.Action) -> Bool {
    switch action {
    case .phase(_, .start), .phase(_, .restart): true
    default: false
    }
  }

  /// From everywhere, without any further event, the wake-ups alone lead to the end, before the deadline.
  private mutating func checkThatItEnds(_ start: Position) throws {
    guard start.model.stopped, !start.model.finished, !start.model.begun.isEmpty else { return }
    var position = start
    var wakeUps = 0
    while !position.model.finished {
      guard let wake = position.model.wake else {
        throw PathModel.Breach(description: "nothing will ever happen again: \(start.model), graph \(requires)")
      }
      if let latest = position.model.latest, wake > latest {
        throw PathModel.Breach(description: "waits too long: \(start.model), graph \(requires)")
      }
      wakeUps += 1
      if wakeUps > 80 { throw PathModel.Breach(description: "does not end: \(start.model), graph \(requires)") }
      position = try step(position, .wake, at: max(wake, position.now))
    }
  }
}
