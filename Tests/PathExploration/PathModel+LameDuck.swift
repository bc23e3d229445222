import GracefulShutdown

extension PathModel {
  /// That it ended, for the reason that it says.
  func checkLameDuck(
    _ ended: LameDuck.Report, by event: Machine.Event, at time: Instant,
    _ require: (Bool, @autoclosure () -> String) throws -> Void
  ) throws {
    guard let lameUntil, let lameSince else { return try require(false, "the end of what was not there") }
    try require(ended.took == time - lameSince && ended.limit == lameUntil - lameSince, "another time than it took")
    let bodies = begun.subtracting(FewPhases(parents.keys)).subtracting(cameBack).subtracting(gone)
    switch ended.end {
    case .limit: try require(time >= lameUntil, "not over")
    case .quiet:
      if case .looked = event {} else { try require(false, "quiet, and nobody has looked") }
    case .urgent: try require(event.isStop, "not urgent")
    case .takenOver: try require(event == .stop(StopRequest(source: .successor(7))), "nobody has taken over")
    case .nothingLeft: try require(bodies.isEmpty, "something runs")
    case .phaseFailed: try require(failedWhileLame, "nothing failed")
    default: try require(false, "unknown")
    }
  }
}

extension LifecycleStateMachine.Event {
  fileprivate var isStop: Bool {
    if case .stop = self { true } else { false }
  }
}
