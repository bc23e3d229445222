extension LifecycleSnapshot {
  private static var mostChildren: Int { 1000 }

  /// Before the run.
  static func declared(_ name: String, grace: Duration, phases: [String]) -> Self {
    let waiting = PhaseRecord(requirements: 0)
    return LifecycleSnapshot(
      lifecycle: name, state: .declared, running: nil, request: nil, grace: grace, left: nil,
      phases: phases.map { PhaseSnapshot($0, parent: nil, waiting, at: .now) })
  }

  /// What the state machine knows, and the id of each phase in it; the rest is with their gates.
  ///
  /// It is called under the lock of the driver, and holds nothing of the machine afterwards.
  static func taken(of machine: LifecycleStateMachine, at now: MonotonicInstant) -> (Self, ids: [Int]) {
    let children = oldest(machine.children.ids)
    return (Self(machine, children: children, at: now), machine.phases.indices + children)
  }

  /// - Parameter gates: Of the phases, one for each.
  func counting(_ gates: [SessionGate?], at now: ContinuousClock.Instant) -> Self {
    var counted = self
    for (index, gate) in zip(phases.indices, gates) {
      if let gate { counted.phases[index].count(gate, at: now) }
    }
    return counted
  }

  /// The lowest ids, in order; without sorting all of them, since there may be a hundred thousand.
  private static func oldest(_ ids: Dictionary<Int, Int>.Keys) -> [Int] {
    var oldest: [Int] = []
    var bound = Int.max
    for id in ids where id < bound {
      oldest.append(id)
      guard oldest.count == 2 * mostChildren else { continue }
      oldest.sort()
      oldest.removeLast(mostChildren)
      bound = oldest.last ?? bound
    }
    return Array(oldest.sorted().prefix(mostChildren))
  }

  private init(_ machine: LifecycleStateMachine, children: [Int], at now: MonotonicInstant) {
    lifecycle = machine.name
    running = machine.startedAt.map { now - $0 }
    grace = machine.grace
    request = nil
    left = nil
    lameDuckLeft = nil
    switch machine.state {
    case .idle: state = .declared
    case .running: state = machine.phases.contains(where: \.isAwaited) ? .starting : .running
    case .stopping(let stopping):
      state = .stopping
      request = stopping.request
      left = stopping.timetable.deadline - now
      lameDuckLeft = stopping.lameDuck.map { max($0.until - now, .zero) }
    case .finished(let report):
      state = .finished
      request = report.request
    }
    let own = machine.phases.indices.map { id in
      PhaseSnapshot(machine.nameOf(id), parent: nil, machine.phases[id], at: now)
    }
    phases =
      own
      + children.compactMap { id in
        guard let parent = machine.children.parent(of: id), let record = machine.children.record(id) else { return nil }
        return PhaseSnapshot(machine.nameOf(id), parent: machine.nameOf(parent), record, at: now)
      }
  }
}

extension PhaseSnapshot {
  fileprivate init(
    _ name: String, parent: String?, _ record: PhaseRecord, at now: MonotonicInstant
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
    restarts = record.isBackingOff ? record.history.total : record.history.restarted
    sessionsLive = 0
    sessionsAdmitted = 0
    sessionsRefused = 0
    sessionsFailed = 0
    sessionsCancelled = 0
    children = record.children.count
    oldestSessions = []
  }

  fileprivate mutating func count(_ gate: SessionGate, at now: ContinuousClock.Instant) {
    let counts = gate.counts
    sessionsLive = counts.live
    sessionsAdmitted = Int(clamping: counts.admitted)
    sessionsRefused = Int(clamping: counts.refused)
    sessionsFailed = counts.failed
    sessionsCancelled = counts.cancelled
    oldestSessions = gate.named(limit: 10).map { SessionSnapshot(name: $0.name, age: now - $0.since) }
  }
}
