import GracefulShutdown

/// Reports as no run would make them, for tests of how they are shown.
extension PhaseReport {
  static func of(
    _ name: String, _ end: PhaseEnd, parent: String? = nil, requires: [String] = [], drain: Double? = 1,
    ended: Double? = 2
  ) -> PhaseReport {
    PhaseReport(
      name: name, parent: parent, requires: requires, end: end, startedAfter: .zero, readyAfter: .zero,
      drainAfter: drain.map { .seconds($0) }, turnAfter: drain.map { .seconds($0) },
      endedAfter: ended.map { .seconds($0) })
  }
}

extension LifecycleReport {
  static func of(_ phases: [PhaseReport], lifecycle: String = "shop", why: String = "") -> LifecycleReport {
    LifecycleReport(
      lifecycle: lifecycle, request: StopRequest(source: .signal(15), why: why), mistakes: [], phases: phases,
      stragglers: phases.filter(\.end.isStraggler).map { Straggler(phase: $0.name) }, ran: .seconds(3600),
      took: .seconds(5), grace: .seconds(25), endedBySignal: nil, ignored: [])
  }
}
