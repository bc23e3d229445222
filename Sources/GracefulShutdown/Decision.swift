import Synchronization

/// What was decided, and is performed in the order in which it was.
enum Decision: Sendable {
  /// An action on a run of a phase.
  case phase(Phase, LifecycleStateMachine.PhaseAction)
  case lifecycle(LifecycleStateMachine.LifecycleAction)
  /// A stop was asked for.
  case asked(StopRequest)
  /// A stop has begun of itself: a phase has ended or failed.
  case began(StopRequest)
  /// A child phase was opened.
  case opened(Phase)
}

extension LifecycleDriver.State {
  /// Keeps what was decided, with the run that is meant: a phase that is started again hears what is decided from then on.
  ///
  /// - Returns: What must not wait until it is performed in order.
  mutating func note(
    _ actions: [LifecycleStateMachine.Action], at now: MonotonicInstant
  ) -> [LifecycleStateMachine.LifecycleAction] {
    var urgent: [LifecycleStateMachine.LifecycleAction] = []
    for action in actions {
      switch action {
      case .phase(let id, let action):
        if phases.indices.contains(id) { readiness.note(action, on: id, at: now) }
        // A child that has ended hears nothing.
        guard let phase = phases.indices.contains(id) ? phases[id] : children[id] else { continue }
        decisions.append((.phase(run(phase, action), action), now))
      case .lifecycle(let action):
        switch action {
        case .wake, .leave: urgent.append(action)
        case .finish:
          urgent.append(action)
          decisions.append((.lifecycle(action), now))
        case .lameDuck, .look, .lameDuckEnded, .ignored: decisions.append((.lifecycle(action), now))
        }
      }
    }
    return urgent
  }

  /// The run that an action is about.
  private mutating func run(_ phase: Phase, _ action: LifecycleStateMachine.PhaseAction) -> Phase {
    switch action {
    case .restart, .renew:
      let next = Phase(after: phase, wasStopped: action == .renew)
      phases[phase.id] = next
      return next
    case .abandon, .release:
      // The last that is said of a child.
      if phase.parent != nil { children[phase.id] = nil }
      return phase
    case .start, .ready, .stoppedBeforeReady, .hear, .drain, .turn, .cut, .cancel, .refuse, .hold, .admit, .waiting,
      .done:
      return phase
    }
  }

  /// Whether this run is not over.
  ///
  /// A child phase has only one.
  func holds(_ phase: Phase?) -> Bool {
    guard let phase, phase.parent == nil else { return true }
    return phases[phase.id] === phase
  }
}

/// The closures of the user, of each phase of the graph.
final class PhaseCode: Sendable {
  private let state: Mutex<(bodies: [Lifecycle.Body], filters: [Lifecycle.RestartFilter?])>

  init(bodies: [Lifecycle.Body], filters: [Lifecycle.RestartFilter?]) { state = Mutex((bodies, filters)) }

  /// - Returns: The body, and which errors the phase is started again for; all of them, where there is no filter.
  func of(_ id: Int) -> (body: Lifecycle.Body, filter: Lifecycle.RestartFilter?)? {
    state.withLock { $0.bodies.indices.contains(id) ? ($0.bodies[id], $0.filters[id]) : nil }
  }

  /// Lets go of all of them, outside the lock.
  func release() {
    let code = state.withLock { code in
      defer { code = ([], []) }
      return code
    }
    withExtendedLifetime(code) {}
  }
}
