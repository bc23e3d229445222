/// What was decided, and about which run of a phase.
///
/// Put together in the same step as it is decided, so that it does not matter when it is done, and in which order with
/// others: a thread that was held up until the phase was started again has the run in its hands that was meant, and
/// reaches that one's moments, task and gate, not those of its successor. Where runs share something, the number tells which
/// deed is the later one (``PhaseRuns``).
struct Deed: Sendable {
  let action: LifecycleStateMachine.Action
  /// Which run of the phase.
  let phase: Phase?
  /// The run before, of one that is started again: let go of outside the lock, for what it holds may be the user's.
  let before: Phase?
  /// The later one has the higher number.
  let number: Int
}

extension LifecycleDriver.State {
  /// In the order in which the machine has decided.
  mutating func deed(_ action: LifecycleStateMachine.Action) -> Deed {
    decisions += 1
    let phase = action.phase.flatMap { phases.indices.contains($0) ? phases[$0] : children[$0] }
    // The last that is said of it; who concludes wants to see those that are in the report.
    if action.isLast, let phase, phase.parent != nil, !machine.reports(phase.id) { children[phase.id] = nil }
    guard let phase, let isNewRound = action.isNewRound else {
      return Deed(action: action, phase: phase, before: nil, number: decisions)
    }
    let next = Phase(after: phase, wasStopped: isNewRound)
    phases[phase.id] = next
    return Deed(action: action, phase: next, before: phase, number: decisions)
  }

  /// Whether this run is not over.
  ///
  /// A child phase has only one.
  func holds(_ phase: Phase?) -> Bool {
    guard let phase, phase.parent == nil else { return true }
    return phases[phase.id] === phase
  }

  /// Whether the phase was not stopped and started again since.
  func isRound(_ round: Int, of id: Int) -> Bool { !phases.indices.contains(id) || phases[id].round == round }
}

extension LifecycleStateMachine.Action {
  /// Which phase it is about.
  var phase: Int? {
    switch self {
    case .start(let id), .ready(let id), .stoppedBeforeReady(let id), .hear(let id, _), .drain(let id, _),
      .turn(let id, _),
      .cut(let id),
      .cancel(let id, _),
      .abandon(let id), .restart(let id, _, _), .refuse(let id), .hold(let id), .admit(let id), .waiting(let id, _),
      .renew(let id), .done(let id), .release(let id, _):
      id
    case .wake, .lameDuck, .look, .lameDuckEnded, .finish, .leave, .ignored: nil
    }
  }

  /// Whether nothing follows it about the phase, when that is a child.
  fileprivate var isLast: Bool {
    switch self {
    case .abandon, .release: true
    case .start, .ready, .stoppedBeforeReady, .hear, .drain, .turn, .cut, .cancel, .restart, .refuse, .hold, .admit,
      .waiting,
      .renew, .done,
      .wake, .lameDuck, .look, .lameDuckEnded, .finish, .leave, .ignored:
      false
    }
  }

  /// Whether the run that begins with it begins a round, too; `nil` when none begins with it.
  fileprivate var isNewRound: Bool? {
    switch self {
    case .restart: false
    case .renew: true
    case .start, .ready, .stoppedBeforeReady, .hear, .drain, .turn, .cut, .cancel, .abandon, .refuse, .hold, .admit,
      .waiting,
      .done,
      .release,
      .wake, .lameDuck, .look, .lameDuckEnded, .finish, .leave, .ignored:
      nil
    }
  }
}
