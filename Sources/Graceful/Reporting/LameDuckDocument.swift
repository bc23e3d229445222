internal import GracefulShutdown

/// What became of a lame-duck time, in JSON.
struct LameDuckDocument: Codable {
  var took: JSONElapsed
  var end: LameDuck.End.Kind
  var limit: JSONElapsed

  init(_ report: LameDuck.Report) {
    took = JSONElapsed(report.took)
    end = report.end.kind
    limit = JSONElapsed(report.limit)
  }

  var value: LameDuck.Report {
    LameDuck.Report(took: took.duration, end: LameDuck.End(kind: end), limit: limit.duration)
  }
}
