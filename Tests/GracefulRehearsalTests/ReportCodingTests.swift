import GracefulJSON
import SchemaChecking
import Testing

@testable import GracefulRehearsal

@Suite("The rehearsal's report as JSON") struct ReportCodingTests {
  private static let verdicts: [RehearsalOutcome] = [.passed(""), .failed(""), .notDone("")]

  private static func load(_ failed: [FailureKind: Int]) -> RehearsalReport.Load {
    RehearsalReport.Load(
      connections: 64, requests: 1000, answered: 990, failed: failed, turnedAway: 2, announcedCloses: 3, idleCloses: 4,
      steady: LatencySummary(p50: 0.123, p99: 1.5, p999: 2, max: 12_345.678), restarting: LatencySummary(),
      between: LatencySummary(p50: 1, p99: 1, p999: 1, max: 1))
  }

  private static func report(_ verdict: RehearsalOutcome) -> RehearsalReport {
    var report = RehearsalReport(
      command: ["server", "é \"x\"\n"],
      restarts: [
        .init(
          index: 1, requestedAtMs: 12.345, outcome: .served, pid: 2, generation: 3, servingAfterMs: 4.5,
          provenBy: .connection, oldPid: 1,
          oldExitedAfterMs: 6, oldExitCode: 143),
        .init(index: 2, requestedAtMs: 0, outcome: .gaveUp), .init(index: 3, requestedAtMs: 0, outcome: .notKnown),
      ],
      keepalive: load([.refused: 1, .bytesBehind: 2, .ownerKilled: 7]), new: verdict.word == "passed" ? load([:]) : nil,
      leftOver: [4711], outcome: verdict)
    report.stops = [
      .init(
        index: 1, requestedAtMs: 1, outcome: .failed, pid: 9, endedAfterMs: 2, exitCode: 1, commandCode: 0,
        turnedAway: 5, firstTurnedAwayAfterMs: 0.001, servingAfterMs: 3),
      .init(index: 2, requestedAtMs: 1, outcome: .stopped, pid: 9, turnedAway: 0),
    ]
    return report
  }

  @Test("One of everything comes back as it was, and is what the schema says", arguments: verdicts)
  func everything(verdict: RehearsalOutcome) throws {
    let report = Self.report(verdict)
    #expect(try JSON.decode(RehearsalReport.self, from: report.json) == report)
    #expect(try SchemaChecker("rehearsal-report-1").problems(inText: report.json) == [])
  }

  @Test("A report from before there was proof is read, too")
  func older() throws {
    let report = Self.report(.passed(""))
    let text = report.json.replacing(#""provenBy":"connection","#, with: "").replacing(#""provenBy":null,"#, with: "")
      .replacing(#""bytesBehind":2,"#, with: "").replacing(#""bytesBehind":0,"#, with: "")
    let read = try JSON.decode(RehearsalReport.self, from: text)
    #expect(read.restarts.map(\.outcome) == report.restarts.map(\.outcome) && read.restarts[0].provenBy == nil)
    #expect(read.keepalive?.failed == [.refused: 1, .ownerKilled: 7])
  }

  @Test("A rehearsal that did not begin comes back")
  func nothing() throws {
    let report = RehearsalReport.notDone("", ["server"])
    #expect(try JSON.decode(RehearsalReport.self, from: report.json) == report)
    #expect(
      report.json
        == #"{"schema":1,"command":["server"],"restarts":[],"stops":[],"load":{},"leftOver":[],"verdict":"notDone"}"#)
  }

  @Test("Times are rounded to the microsecond, and null where there is none")
  func rounding() {
    var report = RehearsalReport.notDone("", [])
    report.restarts = [.init(index: 1, requestedAtMs: 1.23449, outcome: .served, servingAfterMs: .infinity)]
    #expect(report.json.contains(#""requestedAtMs":1.234,"outcome":"served","#))
    #expect(report.json.contains(#""servingAfterMs":null"#))
  }
}
