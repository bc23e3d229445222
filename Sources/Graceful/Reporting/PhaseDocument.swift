internal import GracefulShutdown

/// What happened to a phase, in JSON.
struct PhaseDocument: Codable {
  var name: String
  var parent: JSONNullable<String>
  var requires: [String]
  var end: EndWord
  var error: JSONNullable<String>
  var startedAfter: JSONNullable<JSONElapsed>
  var readyAfter: JSONNullable<JSONElapsed>
  var drainAfter: JSONNullable<JSONElapsed>
  var turnAfter: JSONNullable<JSONElapsed>
  var endedAfter: JSONNullable<JSONElapsed>
  var sessions: JSONNullable<SessionsDocument>
  var restarted: JSONCount
  var restarts: [RestartDocument]

  init(_ phase: PhaseReport) {
    restarted = JSONCount(phase.restarted)
    restarts = phase.restarts.map(RestartDocument.init)
    name = phase.name
    parent = JSONNullable(phase.parent)
    requires = phase.requires
    end = EndWord(phase.end)
    error = JSONNullable(phase.end.error)
    startedAfter = JSONNullable(phase.startedAfter.map(JSONElapsed.init))
    readyAfter = JSONNullable(phase.readyAfter.map(JSONElapsed.init))
    drainAfter = JSONNullable(phase.drainAfter.map(JSONElapsed.init))
    turnAfter = JSONNullable(phase.turnAfter.map(JSONElapsed.init))
    endedAfter = JSONNullable(phase.endedAfter.map(JSONElapsed.init))
    sessions = JSONNullable(phase.sessions.map(SessionsDocument.init))
  }

  func value(at path: String) throws(ReportFormatError) -> PhaseReport {
    var phase = PhaseReport(
      name: name, parent: parent.value, requires: requires, end: try end.value(error.value, at: "\(path).error"),
      startedAfter: startedAfter.value?.duration, readyAfter: readyAfter.value?.duration,
      drainAfter: drainAfter.value?.duration, turnAfter: turnAfter.value?.duration,
      endedAfter: endedAfter.value?.duration)
    phase.sessions = sessions.value?.value
    phase.restarted = restarted.number
    phase.restarts = restarts.map(\.value)
    return phase
  }
}

/// How a phase ended, in one word.
enum EndWord: String, Codable {
  case drained, endedByItself, cancelled, abandoned, failed, neverStarted

  init(_ end: PhaseEnd) {
    self =
      switch end.kind {
      case .drained: .drained
      case .endedByItself: .endedByItself
      case .cancelled: .cancelled
      case .abandoned: .abandoned
      case .failed: .failed
      case .neverStarted: .neverStarted
      }
  }

  func value(_ error: String?, at path: String) throws(ReportFormatError) -> PhaseEnd {
    let end: PhaseEnd =
      switch self {
      case .drained: .drained
      case .endedByItself: .endedByItself
      case .cancelled: .cancelled(error: error)
      case .abandoned: .abandoned
      case .failed: .failed(error ?? "")
      case .neverStarted: .neverStarted
      }
    guard end.error == error else {
      throw ReportFormatError(
        .badValue, at: path, "\(error == nil ? "null" : "an error"), and the phase is \(rawValue)")
    }
    return end
  }
}

/// What happened to the sessions of a phase, in JSON.
struct SessionsDocument: Codable {
  var admitted: JSONCount
  var refused: JSONCount
  var drained: JSONCount
  var failed: JSONCount
  var cancelled: JSONCount
  var abandoned: JSONCount

  init(_ sessions: SessionReport) {
    admitted = JSONCount(sessions.admitted)
    refused = JSONCount(sessions.refused)
    drained = JSONCount(sessions.drained)
    failed = JSONCount(sessions.failed)
    cancelled = JSONCount(sessions.cancelled)
    abandoned = JSONCount(sessions.abandoned)
  }

  var value: SessionReport {
    SessionReport(
      admitted: admitted.number, refused: refused.number, drained: drained.number, failed: failed.number,
      cancelled: cancelled.number, abandoned: abandoned.number)
  }
}
