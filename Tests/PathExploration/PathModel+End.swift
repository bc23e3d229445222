import GracefulShutdown

/// What must be true of the end: its report, and its exit code.
extension PathModel {
  func check(
    _ report: LifecycleReport, _ require: (Bool, @autoclosure () -> String) throws -> Void
  ) throws {
    let own = begun.subtracting(FewPhases(parents.keys))
    try require(lameUntil == nil && (report.lameDuck != nil) == wasLame, "a lame duck that did not end")
    try require(own.isSubset(of: gone), "the end before all have ended")
    for (id, phase) in report.phases.enumerated() where phase.parent == nil {
      try require((phase.end == .neverStarted) == !everBegun.contains(id), "phase \(id) in the report")
      try require(
        !phase.end.isCancelled || cancelled.union(cut).union(cutItself).contains(id), "phase \(id) in the report")
      // A restart that did not come is none.
      let planned = restarts[id, default: 0] - (backingOff.contains(id) ? 1 : 0)
      try require(
        phase.restarted == planned + restartsAfterThat[id, default: 0],
        "phase \(id) was restarted \(phase.restarted) times")
      // What was admitted is ended or named.
      let isLate = report.stragglers.contains { $0.phase == phase.name }
      if own.contains(id), !empty.contains(id) { try require(isLate, "somebody is inside \(id), which is not named") }
      try require(phase.end != .abandoned || isLate, "phase \(id) is not named")
    }
    for (child, parent) in parents where !cameBack.contains(child) {
      let isNamed = report.stragglers.contains { $0.phase == "\(parent)/child" }
      // A child that was given up before the stop is the matter of the task that opened it.
      try require(isNamed || !gone.contains(child) || exiting || alone, "child \(child) is neither ended nor named")
    }
    try require(exitCodes.contains(report.exitCode), "exit code \(report.exitCode), where \(exitCodes) was to be")
  }

  /// The first that applies (DESIGN, S14): there are no mistakes here, which is 78.
  private var exitCodes: [Int32] {
    if signals >= 3 { return [128 + 15] }
    if !late.isEmpty { return [124] }
    // What a child threw went to the task that opened it.
    let code: Int32 = failed.subtracting(FewPhases(parents.keys)).isEmpty ? 0 : 1
    // Whether it counts depends on whether it would have run again, which the machine knows.
    return lateBefore.isEmpty && cutForAnother.isEmpty ? [code] : [code, 124]
  }
}
