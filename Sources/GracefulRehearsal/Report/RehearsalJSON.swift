extension RehearsalReport {
  /// The report as JSON in one line, as `schemas/rehearsal-report-1.json` describes it.
  public var json: String {
    var load: [(String, JSONText)] = []
    if let keepalive { load.append(("keepalive", keepalive.jsonText)) }
    if let new { load.append(("new", new.jsonText)) }
    let report = JSONText.object([
      ("schema", .integer(1)),
      ("command", .array(command.map { .string($0) })),
      ("restarts", .array(restarts.map(\.jsonText))),
      ("stops", .array(stops.map(\.jsonText))),
      ("load", .object(load)),
      ("leftOver", .array(leftOver.map { .integer(Int($0)) })),
      ("verdict", .string(verdict.word)),
    ])
    var text = ""
    report.write(into: &text)
    return text
  }
}

extension RehearsalReport.Restart {
  fileprivate var jsonText: JSONText {
    .object([
      ("index", .integer(index)),
      ("requestedAtMs", .number(requestedAtMs)),
      ("outcome", .string(outcome.rawValue)),
      ("pid", .integer(pid)),
      ("generation", generation.map { .integer($0) } ?? .null),
      ("servingAfterMs", .milliseconds(servingAfterMs)),
      ("oldPid", .integer(oldPid)),
      ("oldExitedAfterMs", .milliseconds(oldExitedAfterMs)),
      ("oldExitCode", .integer(oldExitCode)),
    ])
  }
}

extension RehearsalReport.Stop {
  fileprivate var jsonText: JSONText {
    .object([
      ("index", .integer(index)),
      ("requestedAtMs", .number(requestedAtMs)),
      ("outcome", .string(outcome.rawValue)),
      ("pid", .integer(pid)),
      ("endedAfterMs", .milliseconds(endedAfterMs)),
      ("exitCode", .integer(exitCode)),
      ("commandCode", .integer(commandCode)),
      ("turnedAway", .integer(turnedAway)),
      ("firstTurnedAwayAfterMs", .milliseconds(firstTurnedAwayAfterMs)),
      ("servingAfterMs", .milliseconds(servingAfterMs)),
    ])
  }
}

extension RehearsalReport.Load {
  fileprivate var jsonText: JSONText {
    .object([
      ("connections", .integer(connections)),
      ("requests", .integer(requests)),
      ("answered", .integer(answered)),
      ("turnedAway", .integer(turnedAway)),
      ("failed", .object(FailureKind.allCases.map { ($0.rawValue, .integer(failed[$0] ?? 0)) })),
      ("closedByServer", .object([("announced", .integer(announcedCloses)), ("idle", .integer(idleCloses))])),
      (
        "latencyMs",
        .object([
          ("steady", steady.jsonText), ("restarting", restarting.jsonText), ("between", between.jsonText),
        ])
      ),
    ])
  }
}

extension LatencySummary {
  fileprivate var jsonText: JSONText {
    .object([("p50", .number(p50)), ("p99", .number(p99)), ("p999", .number(p999)), ("max", .number(max))])
  }
}
