extension LifecycleSnapshot {
  private static var mostChildren: Int { 1000 }

  /// Before the run.
  static func declared(_ name: String, grace: Duration, phases: [String]) -> Self {
    let waiting = PhaseRecord(requirements: 0)
    return LifecycleSnapshot(
      lifecycle: name, state: .declared, running: nil, request: nil, grace: grace, left: nil,
      phases: phases.map { PhaseSnapshot($0, parent: nil, waiting, gate: nil, at: .now) })
  }

  /// - Parameter gate: The gate of a phase.
  init(_ machine: LifecycleStateMachine, at now: ContinuousClock.Instant, gate: (Int) -> SessionGate?) {
    lifecycle = machine.name
    running = machine.startedAt.map { now - $0 }
    grace = machine.grace
    request = nil
    left = nil
    switch machine.state {
    case .idle: state = .declared
    case .running: state = machine.phases.contains { $0.readyAt == nil } ? .starting : .running
    case .stopping(let stopping):
      state = .stopping
      request = stopping.request
      left = stopping.timetable.deadline - now
    case .finished(let report):
      state = .finished
      request = report.request
    }
    let own = machine.phases.indices.map { id in
      PhaseSnapshot(machine.nameOf(id), parent: nil, machine.phases[id], gate: gate(id), at: now)
    }
    let children = machine.children.keys.sorted().prefix(Self.mostChildren).compactMap { id in
      machine.children[id].map { child in
        PhaseSnapshot(
          machine.nameOf(id), parent: machine.nameOf(child.child.parent), child.record, gate: gate(id), at: now)
      }
    }
    phases = own + children
  }
}

extension PhaseSnapshot {
  fileprivate init(
    _ name: String, parent: String?, _ record: PhaseRecord, gate: SessionGate?, at now: ContinuousClock.Instant
  ) {
    self.name = name
    self.parent = parent
    switch record.state {
    case .waiting: state = .waiting
    case .starting: state = .starting
    case .ready: state = .ready
    case .backingOff: state = .restarting
    case .draining: state = .draining
    case .cutting, .cancelled: state = .cancelled
    case .ended(let end):
      state = .ended
      self.end = end
    }
    age = record.startedAt.map { now - $0 }
    left = record.due.map { $0 - now }
    isWaiting = record.isWaiting
    restarts = record.history.total
    let counts = gate?.counts
    sessionsLive = counts?.live ?? 0
    sessionsAdmitted = Int(clamping: counts?.admitted ?? 0)
    sessionsRefused = Int(clamping: counts?.refused ?? 0)
    children = record.children.count
    oldestSessions = gate?.named(limit: 10).map { SessionSnapshot(name: $0.name, age: now - $0.since) } ?? []
  }
}
