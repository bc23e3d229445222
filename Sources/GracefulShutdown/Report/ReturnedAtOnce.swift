/// A body that returns at once stops the whole: often that is not what was meant.
enum ReturnedAtOnce {
  /// In less time nothing that a program is started for is done.
  private static var atOnce: Duration { .seconds(1) }

  /// - Parameters:
  ///   - took: From its start to its return.
  ///   - wasReady: Whether it had said that it is ready.
  /// - Returns: What might have been meant; `nil` when it ran for a while.
  static func hint(_ phase: String, took: Duration, wasReady: Bool) -> String? {
    guard took < atOnce || !wasReady else { return nil }
    return "phase \(phase) returned after \(took.brief), and that stops the whole: a phase that only had this to do is "
      + "declared with `restart: .once`; a phase that is to stay awaits `phase.turnToStop()`"
  }
}

extension LifecycleStateMachine {
  /// What might have been meant instead of this stop.
  func hint(for request: StopRequest) -> String? {
    guard case .phaseEnded(let name) = request.source.origin, request.why.isEmpty, let requestedAt,
      let id = phases.indices.first(where: { nameOf($0) == name }), let startedAt = phases[id].startedAt
    else { return nil }
    return ReturnedAtOnce.hint(name, took: requestedAt - startedAt, wasReady: phases[id].readyAt != nil)
  }

  private var requestedAt: Instant? {
    switch state {
    case .stopping(let stopping): stopping.timetable.requestedAt
    case .finished(let report): startedAt.map { $0 + report.ran }
    case .idle, .running: nil
    }
  }
}

extension LifecycleReport {
  /// What might have been meant instead of the stop.
  var hint: String? {
    guard case .phaseEnded(let name)? = request?.source.origin, request?.why.isEmpty == true,
      let phase = phases.first(where: { $0.name == name && $0.parent == nil }), let startedAfter = phase.startedAfter
    else { return nil }
    return ReturnedAtOnce.hint(
      TerminalText(name, columns: 40).string, took: ran - startedAfter, wasReady: phase.readyAfter != nil)
  }
}
