import GracefulShutdown

/// Tries every event that can come, in every state that can be reached, and holds each action against the promises.
///
/// What the machine does is checked against a model of its own, built from the actions alone.
struct GraphExplorer {
  typealias Machine = LifecycleStateMachine

  /// What somebody who sees only the actions knows.
  struct Model: Hashable {
    var begun: Set<Int> = []
    var ready: Set<Int> = []
    var heard: Set<Int> = []
    var turned: Set<Int> = []
    var cancelled: Set<Int> = []
    /// Came back, or was abandoned.
    var gone: Set<Int> = []
    var stopped = false
    var exiting = false
    var finished = false
    var wake: ContinuousClock.Instant?
    var latest: ContinuousClock.Instant?
  }

  struct Position: Hashable {
    var machine: Machine
    var model: Model
    var now: ContinuousClock.Instant

    /// Enough to tell most apart; to hash the names again and again would take most of the time.
    func hash(into hasher: inout Hasher) {
      hasher.combine(machine.phases)
      hasher.combine(model)
    }
  }

  struct Breach: Error, CustomStringConvertible {
    var description: String
  }

  let requires: [[Int]]
  let grace: Duration
  private(set) var positions = 0
  private(set) var steps = 0
  private(set) var finishes = 0
  /// The length of the longest sequence that leads to something new.
  private(set) var longest = 0

  init(requires: [[Int]], grace: Duration) {
    self.requires = requires
    self.grace = grace
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

  /// Until there is no state that has not been seen: that is every sequence of events, however long.
  mutating func explore() throws {
    let start = ContinuousClock.now
    let declarations = requires.enumerated().map { id, requires in
      // The first has a limit of its own, so that limits and the whole's deadline are both met.
      PhaseGraph.Declaration("\(id)", requires: requires.map { "\($0)" }, limit: id == 0 ? .seconds(3) : nil)
    }
    let machine = Machine(name: "explored", grace: grace, graph: PhaseGraph(declarations))
    var seen: Set<Position> = []
    var level = [Position(machine: machine, model: Model(), now: start)]
    while !level.isEmpty {
      var next: [Position] = []
      for position in level where seen.insert(position).inserted {
        try checkThatItEnds(position)
        for (event, time) in events(at: position) { next.append(try step(position, event, at: time)) }
      }
      level = next
      longest += 1
    }
    positions = seen.count
  }

  /// Everything that the world can do here; that time stands still until the next wake-up is part of it.
  private func events(at position: Position) -> [(Machine.Event, ContinuousClock.Instant)] {
    let (model, now) = (position.model, position.now)
    guard !model.finished else { return [] }
    var events: [(Machine.Event, ContinuousClock.Instant)] = []
    if case .idle(let requests) = position.machine.state {
      events.append((.run, now))
      // More requests before the start than these two tell nothing new.
      guard requests.count < 2 else { return events }
    }
    for id in requires.indices where model.begun.contains(id) && !model.gone.contains(id) {
      if !model.ready.contains(id) { events.append((.ready(id), now)) }
      events.append((.ended(id, .returned), now))
      // The other ways to end differ mostly in what the report calls them; among three, one phase tries them.
      guard requires.count < 3 || id == 1 else { continue }
      events.append((.ended(id, .threw("e")), now))
      events.append((.ended(id, .threwCancellation), now))
    }
    events.append((.stop(StopRequest(who: .signal(15))), now))
    events.append((.stop(StopRequest(who: .code)), now))
    events.append((.stop(StopRequest(who: .code, urgency: .cancelNow)), now))
    events.append((.stop(StopRequest(who: .code, urgency: .exitNow)), now))
    if let wake = model.wake {
      events.append((.wake, wake))
      // Early, and so late that everything is over.
      if wake > now { events.append((.wake, now)) }
      events.append((.wake, now + grace))
    }
    return events
  }

  private mutating func step(
    _ position: Position, _ event: Machine.Event, at time: ContinuousClock.Instant
  ) throws -> Position {
    var next = position
    next.now = time
    steps += 1
    let before = next.model
    if case .ready(let id) = event { next.model.ready.insert(id) }
    if case .stop = event, !before.stopped {
      next.model.stopped = true
      if before.begun.isEmpty == false { next.model.latest = time + grace }
    }
    if case .ended = event, !before.stopped {
      next.model.stopped = true
      next.model.latest = time + grace
    }
    if case .stop(let request) = event, request.urgency == .exitNow { next.model.exiting = true }
    if case .wake = event { next.model.wake = nil }
    let actions = next.machine.receive(event, at: time)
    // Three SIGTERM exit; the model learns of it from the report only.
    if case .finished(let report) = next.machine.state, report.endedBySignal != nil { next.model.exiting = true }
    for action in actions { try perform(action, event, &next.model, before, at: time) }
    if next.model.finished { finishes += 1 }
    let allGone = next.model.begun.subtracting(next.model.gone).isEmpty
    if next.model.stopped, case .idle = next.machine.state {
    } else if next.model.stopped, allGone {
      try require(next.model.finished, "everything has ended, but the lifecycle has not", event, position)
    }
    return next
  }

  private func perform(
    _ action: Machine.Action, _ event: Machine.Event, _ model: inout Model, _ before: Model,
    at time: ContinuousClock.Instant
  ) throws {
    try require(!model.finished, "\(action) after the end", event, model)
    switch action {
    case .start(let id):
      try require(!model.stopped, "\(id) starts after a stop", event, model)
      try require(model.begun.insert(id).inserted, "\(id) starts twice", event, model)
      try require(requires[id].allSatisfy(model.ready.contains), "\(id) starts too early", event, model)
    case .hear(let id, _):
      try require(model.stopped && model.begun.contains(id) && !model.gone.contains(id), "\(id) hears", event, model)
      model.heard.insert(id)
    case .turn(let id, let deadline):
      try require(model.heard.contains(id), "\(id) has its turn before it hears", event, model)
      try require(model.turned.insert(id).inserted, "\(id) has two turns", event, model)
      try require(dependents(of: id, in: model).isSubset(of: model.gone), "\(id) has its turn too early", event, model)
      if let latest = model.latest { try require(deadline <= latest, "\(id) may drain too long", event, model) }
    case .cancel(let id, let deadline):
      try require(model.turned.contains(id), "\(id) is cancelled before its turn", event, model)
      try require(!model.gone.contains(id), "\(id) is cancelled when gone", event, model)
      try require(model.cancelled.insert(id).inserted, "\(id) is cancelled twice", event, model)
      if let latest = model.latest { try require(deadline <= latest, "\(id) is waited for too long", event, model) }
    case .abandon(let id):
      try require(model.cancelled.contains(id) || model.exiting, "\(id) is abandoned uncancelled", event, model)
      try require(dependents(of: id, in: model).isSubset(of: model.gone), "\(id) is abandoned too early", event, model)
      try require(model.gone.insert(id).inserted, "\(id) is abandoned when gone", event, model)
    case .release(let id, _):
      try require(event == .ended(id, .returned) || isEnd(event, of: id), "\(id) is released", event, model)
      try require(model.gone.insert(id).inserted, "\(id) is released twice", event, model)
    case .wake(let instant):
      try require(instant > time, "a wake-up in the past", event, model)
      if let latest = model.latest { try require(instant <= latest, "a wake-up too late", event, model) }
      model.wake = model.wake.map { min($0, instant) } ?? instant
    case .finish(let report):
      try require(model.begun == model.gone, "it finishes too early", event, model)
      if let latest = before.latest, event != .wake { try require(time <= latest, "too late", event, model) }
      for (id, phase) in report.phases.enumerated() {
        try require((phase.end == .neverStarted) == !model.begun.contains(id), "\(id) in the report", event, model)
        try require(!phase.end.isCancelled || model.cancelled.contains(id), "\(id) in the report", event, model)
      }
      model.finished = true
    case .ignored(let reason):
      throw Breach(description: "ignored an event that can come: \(reason), \(event), \(model)")
    }
  }

  /// From everywhere, if nobody says another word, the wake-ups alone lead to the end, before the deadline.
  private mutating func checkThatItEnds(_ start: Position) throws {
    guard start.model.stopped, !start.model.finished, !start.model.begun.isEmpty else { return }
    var position = start
    var wakeUps = 0
    while !position.model.finished {
      guard let wake = position.model.wake else {
        throw Breach(description: "nothing will ever happen again: \(start.model)")
      }
      if let latest = position.model.latest { try require(wake <= latest, "waits too long", .wake, position) }
      wakeUps += 1
      try require(wakeUps < 50, "does not end", .wake, position)
      position = try step(position, .wake, at: max(wake, position.now))
    }
  }

  private func dependents(of id: Int, in model: Model) -> Set<Int> {
    Set(requires.indices.filter { requires[$0].contains(id) && model.begun.contains($0) })
  }

  private func isEnd(_ event: Machine.Event, of id: Int) -> Bool {
    if case .ended(id, _) = event { true } else { false }
  }

  private func require(
    _ holds: Bool, _ what: @autoclosure () -> String, _ event: Machine.Event, _ place: some Any
  ) throws {
    if !holds { throw Breach(description: "\(what()) at \(event) in \(place), graph \(requires)") }
  }
}
