import GracefulShutdown

/// A machine none of whose phases has a session inside: each gate is empty at once.
///
/// A turn that comes together with the drain is left out of the actions, and so the tables read as if there was one.
struct QuietMachine {
  var machine: LifecycleStateMachine

  var phases: [PhaseRecord] { machine.phases }

  mutating func receive(
    _ event: LifecycleStateMachine.Event, at now: MonotonicInstant
  ) -> [LifecycleStateMachine.Action] {
    var actions = machine.receive(event, at: now)
    var next = 0
    while next < actions.count {
      defer { next += 1 }
      guard case .phase(let id, .drain) = actions[next] else { continue }
      let more = machine.receive(.emptied(id), at: now)
      actions += more.filter { !isTurn($0, of: id) }
    }
    return actions
  }

  private func isTurn(_ action: LifecycleStateMachine.Action, of id: Int) -> Bool {
    if case .phase(id, .turn) = action { true } else { false }
  }
}
