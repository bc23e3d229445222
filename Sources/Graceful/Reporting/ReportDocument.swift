internal import GracefulShutdown

/// The report in JSON, as `schemas/lifecycle-report-1.json` describes it.
///
/// A mirror of ``LifecycleReport``, and not the value itself: that lives where there is no Foundation, and the names of
/// its properties may change, while these keys stay.
struct ReportDocument: Codable {
  static let schema = 1

  var schema: JSONInteger<Int>
  var lifecycle: String
  var pid: JSONNullable<JSONInteger<Int32>>
  var startedAt: JSONNullable<JSONTime>
  /// For who reads the JSON; not read back, since it follows from the rest.
  var stopRequestedAt: JSONNullable<JSONTime>?
  var endedAt: JSONNullable<JSONTime>
  var request: JSONNullable<RequestDocument>
  var mistakes: [MistakeDocument]
  var phases: [PhaseDocument]
  var stragglers: [StragglerDocument]
  var ran: JSONElapsed
  var took: JSONElapsed
  var grace: JSONSeconds
  var graceFrom: GraceOrigin.Kind
  /// Left out by versions that had none.
  var lameDuck: JSONNullable<LameDuckDocument>?
  var endedBySignal: JSONNullable<JSONInteger<Int32>>
  /// For who reads the JSON; not read back, since it follows from the rest.
  var exitCode: JSONInteger<Int32>?
  var childrenOpened: JSONCount
  var ignored: [String]

  init(_ report: LifecycleReport) {
    schema = JSONInteger(Self.schema)
    lifecycle = report.lifecycle
    pid = JSONNullable(report.pid.map(JSONInteger.init))
    startedAt = JSONNullable(report.startedAt.map(JSONTime.init))
    stopRequestedAt = JSONNullable(report.stopRequestedAt.map(JSONTime.init))
    endedAt = JSONNullable(report.endedAt.map(JSONTime.init))
    request = JSONNullable(report.request.map(RequestDocument.init))
    mistakes = report.mistakes.map(MistakeDocument.init)
    phases = report.phases.map(PhaseDocument.init)
    stragglers = report.stragglers.map(StragglerDocument.init)
    ran = JSONElapsed(report.ran)
    took = JSONElapsed(report.took)
    grace = JSONSeconds(report.grace)
    graceFrom = report.graceOrigin.kind
    lameDuck = JSONNullable(report.lameDuck.map(LameDuckDocument.init))
    endedBySignal = JSONNullable(report.endedBySignal.map(JSONInteger.init))
    exitCode = JSONInteger(report.exitCode)
    childrenOpened = JSONCount(report.childrenOpened)
    ignored = report.ignored
  }

  func value() throws(ReportFormatError) -> LifecycleReport {
    var mistakes: [ConfigurationMistake] = []
    for (index, mistake) in self.mistakes.enumerated() { mistakes.append(try mistake.value(at: "mistakes[\(index)]")) }
    var phases: [PhaseReport] = []
    for (index, phase) in self.phases.enumerated() { phases.append(try phase.value(at: "phases[\(index)]")) }
    var stragglers: [Straggler] = []
    for (index, late) in self.stragglers.enumerated() { stragglers.append(try late.value(at: "stragglers[\(index)]")) }
    var report = LifecycleReport(
      lifecycle: lifecycle, request: try request.value?.value(at: "request"), mistakes: mistakes, phases: phases,
      stragglers: stragglers, ran: ran.duration, took: took.duration, grace: grace.duration,
      graceOrigin: GraceOrigin(kind: graceFrom),
      endedBySignal: endedBySignal.value?.number, childrenOpened: childrenOpened.number, ignored: ignored)
    report.lameDuck = lameDuck?.value?.value
    report.pid = pid.value?.number
    report.startedAt = startedAt.value?.time
    report.endedAt = endedAt.value?.time
    return report
  }
}

/// What had not ended in time, in JSON.
struct StragglerDocument: Codable {
  var kind: Kind
  var name: String
  var phase: String
  var age: JSONNullable<JSONElapsed>

  enum Kind: String, Codable {
    case phase, session
  }

  init(_ straggler: Straggler) {
    // There are these two; a third one has a case here before it is in a report.
    kind = straggler.kind == .session ? .session : .phase
    name = straggler.name
    phase = straggler.phase
    age = JSONNullable(straggler.age.map(JSONElapsed.init))
  }

  func value(at path: String) throws(ReportFormatError) -> Straggler {
    var straggler: Straggler
    switch kind {
    case .phase:
      straggler = Straggler(phase: phase)
      straggler.name = name
    case .session:
      straggler = Straggler(session: name, in: phase, age: try there(age.value, "\(path).age").duration)
    }
    return straggler
  }
}

/// Asked first: of another schema nothing else is known.
struct SchemaDocument: Codable {
  var schema: JSONInteger<Int>
}
