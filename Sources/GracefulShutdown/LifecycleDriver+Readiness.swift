import Logging
import Synchronization

/// Readiness that is overdue is named, with what it waits for (S17).
extension LifecycleDriver {
  func lookAtReadiness(at instant: MonotonicInstant) {
    environment.remind(at: .init(instant)) { [weak self] in self?.lookAtReadiness() }
  }

  private func lookAtReadiness() {
    let (overdue, behind, next) = state.withLock { state in
      let overdue = state.readiness.look(at: .init(environment.now()))
      let behind = overdue.isEmpty ? [] : state.machine.phasesToBegin
      return (overdue.map { ($0, state.machine.nameOf($0.phase)) }, behind, state.readiness.takeNextLook())
    }
    if let next { lookAtReadiness(at: next) }
    guard !overdue.isEmpty else { return }
    let awaited = overdue.prefix(8).map { overdue, name in
      let what = overdue.hasComeBack ? "is still to be started again" : "has not said that it is ready"
      return "\(name) \(what), after \(overdue.waited.brief)"
    }
    var message = "not ready yet: \(listed(awaited, of: overdue.count))"
    var metadata = ["phases.awaited": listed(overdue.prefix(8).map { $1 }, of: overdue.count)]
    if !behind.isEmpty {
      metadata["phases.behind"] = listed(Array(behind.prefix(8)), of: behind.count)
      message += "; \(behind.count == 1 ? "1 phase" : "\(behind.count) phases") cannot start before"
    }
    log.write(.warning, message, metadata)
  }
}

extension LifecycleStateMachine {
  /// Those that wait for what they require, by name.
  fileprivate var phasesToBegin: [String] {
    phases.indices.filter { phases[$0].isToBegin && !phases[$0].hasHeard }.map(nameOf)
  }
}
