internal import GracefulShutdown

/// What became of a lame-duck time, in JSON.
struct LameDuckDocument: Codable {
  var took: JSONElapsed
  var end: LameDuckEnd.Kind
  var limit: JSONElapsed

  init(_ report: LameDuckReport) {
    took = JSONElapsed(report.took)
    end = report.end.kind
    limit = JSONElapsed(report.limit)
  }

  var value: LameDuckReport {
    LameDuckReport(took: took.duration, end: LameDuckEnd(kind: end), limit: limit.duration)
  }
}
