extension LifecycleStateMachine {
  /// What decides about everything that can follow: not when something was, which only the report tells.
  ///
  /// For searches: two machines in the same position need to be looked at once.
  package struct Position: Hashable {
    fileprivate var phases: [PhaseRecord]
    fileprivate var child: PhaseRecord?
    fileprivate var state: State
    fileprivate var armed: Instant?
    fileprivate var signals: Int
    fileprivate var repetitions: [String: Int]

    /// Enough to tell nearly all apart; to hash the rest takes most of the time.
    package func hash(into hasher: inout Hasher) {
      for phase in phases { hasher.combine(phase.state) }
    }
  }

  /// Where it is, with one child at most.
  ///
  /// - Parameter start: Stands for each instant at which something was.
  package func position(since start: Instant) -> Position {
    var phases = phases
    for id in phases.indices { phases[id].forgetWhen(start) }
    var child = children.ids.first.flatMap { children.record($0) }
    child?.forgetWhen(start)
    return Position(
      phases: phases, child: child, state: state, armed: armed, signals: signals, repetitions: repetitions)
  }
}

extension PhaseRecord {
  /// That something was, decides; not when, but for the start of a phase that may be overdue.
  fileprivate mutating func forgetWhen(_ start: LifecycleStateMachine.Instant) {
    if readyAt != nil { startedAt = startedAt.map { _ in start } }
    readyAt = readyAt.map { _ in start }
    drainAt = drainAt.map { _ in start }
    turnAt = turnAt.map { _ in start }
    endedAt = endedAt.map { _ in start }
    // All of it is within the window, and nothing decays.
    history.reports = []
    history.recent = history.recent.map { _ in start }
    history.lastRestart = nil
    history.stopping?.after = .zero
  }
}
