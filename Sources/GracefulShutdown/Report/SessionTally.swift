import Synchronization

/// What only the gates know, kept for the report until the end.
final class SessionTally: Sendable {
  private struct State {
    var sessions: [Int: SessionReport] = [:]
    var late: [(phase: String, stragglers: [Straggler])] = []
    var seen: Set<Int> = []
  }

  private let state = Mutex(State())

  /// More names of one phase would not be read.
  static var mostNames: Int { 100 }
  private static var mostChildren: Int { 256 }

  /// The time of a phase is over: the sessions inside are late.
  func cut(_ phase: Phase, at now: ContinuousClock.Instant) {
    guard isReported(phase) else { return }
    let stragglers = phase.gate.named(limit: Self.mostNames).map {
      Straggler(session: $0.name, in: phase.path, age: now - $0.since)
    }
    state.withLock { state in
      guard phase.parent == nil || state.late.count < Self.mostChildren else { return }
      guard state.seen.insert(phase.id).inserted, !stragglers.isEmpty else { return }
      state.late.append((phase.path, stragglers))
    }
  }

  /// A phase has ended, or it is not waited for any more; only the first time counts.
  func close(_ phase: Phase, at now: ContinuousClock.Instant) {
    guard isReported(phase) else { return }
    let counts = phase.gate.counts
    if counts.live > 0 { cut(phase, at: now) }
    let report = SessionReport(
      admitted: Int(clamping: counts.admitted), refused: Int(clamping: counts.refused), drained: counts.drained,
      failed: counts.failed, cancelled: counts.cancelled, abandoned: counts.live)
    guard !report.isEmpty else { return }
    state.withLock { state in
      // Of what is abandoned, more may end before the next call.
      guard state.sessions[phase.id] == nil else { return }
      guard phase.parent == nil || state.sessions.count < Self.mostChildren else { return }
      state.sessions[phase.id] = report
    }
  }

  /// A phase was stopped only to be started again: nothing in it was late, and its sessions are counted with those that
  /// come after them.
  func forget(_ phase: Phase) {
    state.withLock { state in
      state.sessions[phase.id] = nil
      if state.seen.remove(phase.id) != nil { state.late.removeAll { $0.phase == phase.path } }
    }
  }

  /// Of a child that ends while the program runs nothing is kept: there may be millions.
  private func isReported(_ phase: Phase) -> Bool { phase.root?.isStopRequested ?? true }

  /// Puts in what the state machine cannot know.
  func complete(_ report: LifecycleReport) -> LifecycleReport {
    let state = state.withLock { state in (sessions: state.sessions, late: state.late) }
    var report = report
    for index in report.phases.indices {
      report.phases[index].sessions = state.sessions[report.phases[index].id]
      // No use to the reader, and a report that was read from JSON has none: the same report is to be equal.
      report.phases[index].id = -1
    }
    var late = state.late
    report.stragglers = report.stragglers.flatMap { straggler in
      guard let place = late.firstIndex(where: { $0.phase == straggler.phase }) else { return [straggler] }
      return [straggler] + late.remove(at: place).stragglers
    }
    report.stragglers += late.flatMap(\.stragglers)
    return report
  }
}
