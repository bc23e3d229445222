import Foundation
import Graceful
import GracefulTesting
import SchemaChecking
import Exploration
import Testing

@Suite("A report as JSON", .timeLimit(.minutes(1)))
struct ReportJSONTests {
  private func roundTrip(_ report: LifecycleReport) throws {
    let json = report.json()
    #expect(try LifecycleReport(json: json) == report)
    #expect(try LifecycleReport(json: json).json() == json)
    #expect(try SchemaChecker("lifecycle-report-1").problems(inText: json) == [])
  }

  @Test("reads as people and programs expect it")
  func text() {
    var web = ReportValues.phase("web", .cancelled(error: "late"))
    web.requires = ["database"]
    var report = ReportValues.report(phases: [web], stragglers: [Straggler(phase: "web")], took: .milliseconds(7250))
    report.pid = 4711
    report.startedAt = UTCTime("2026-11-21T05:46:25.000Z")
    report.endedAt = UTCTime("2026-11-21T06:46:33.123Z")
    #expect(
      report.json() == """
        {
          "childrenOpened" : 0,
          "endedAt" : "2026-11-21T06:46:33.123Z",
          "endedBySignal" : null,
          "exitCode" : 124,
          "grace" : 25,
          "graceFrom" : "program",
          "ignored" : [

          ],
          "lameDuck" : null,
          "lifecycle" : "shop",
          "mistakes" : [

          ],
          "phases" : [
            {
              "drainAfter" : 3,
              "end" : "cancelled",
              "endedAfter" : 4,
              "error" : "late",
              "name" : "web",
              "parent" : null,
              "readyAfter" : 0.001,
              "requires" : [
                "database"
              ],
              "restarted" : 0,
              "restarts" : [

              ],
              "sessions" : null,
              "startedAfter" : 0,
              "turnAfter" : null
            }
          ],
          "pid" : 4711,
          "ran" : 3600,
          "request" : {
            "urgency" : "drain",
            "who" : {
              "kind" : "signal",
              "signal" : 15,
              "text" : "SIGTERM"
            },
            "why" : ""
          },
          "schema" : 1,
          "startedAt" : "2026-11-21T05:46:25.000Z",
          "stopRequestedAt" : "2026-11-21T06:46:25.873Z",
          "stragglers" : [
            {
              "age" : null,
              "kind" : "phase",
              "name" : "web",
              "phase" : "web"
            }
          ],
          "took" : 7.25
        }

        """)
  }

  @Test("One of everything comes back as it was") func everything() throws { try roundTrip(ReportValues.everything) }

  @Test("Any encoder and decoder of the standard library's Codable will do: times to the precision of a Double")
  func foundation() throws {
    let report = ReportValues.report(
      phases: ReportValues.ends.map { ReportValues.phase("web", $0) }, took: .nanoseconds(7_250_000_001))
    let data = try JSONEncoder().encode(report)
    #expect(try JSONDecoder().decode(LifecycleReport.self, from: data) == report)
    #expect(try LifecycleReport(json: String(decoding: data, as: UTF8.self)) == report)
  }

  @Test("Nothing comes back as nothing") func nothing() throws {
    try roundTrip(ReportValues.report(request: nil, mistakes: [ConfigurationMistake(trigger: "", reason: "")]))
  }

  @Test("Every way to end comes back", arguments: ReportValues.ends) func ends(end: PhaseEnd) throws {
    try roundTrip(ReportValues.report(phases: [ReportValues.phase("web", end)]))
  }

  @Test("Every source of a request comes back", arguments: ReportValues.sources, ReportValues.urgencies)
  func askers(source: StopRequest.Source, urgency: StopRequest.Urgency) throws {
    try roundTrip(ReportValues.report(request: StopRequest(source: source, why: "why", urgency: urgency)))
  }

  @Test("Every mistake comes back", arguments: ReportValues.mistakes)
  func mistakes(kind: ConfigurationMistake.Kind) throws {
    try roundTrip(ReportValues.report(request: nil, mistakes: [ConfigurationMistake(kind: kind)]))
  }

  @Test("Times come back to the last digit", arguments: ReportValues.durations)
  func durations(duration: Duration) throws {
    try roundTrip(
      ReportValues.report(stragglers: [Straggler(session: "s", in: "web", age: duration)], took: duration))
  }

  @Test("Ten thousand times of any length come back, each as a plain number")
  func manyDurations() throws {
    var random = SplitMix64(seed: 7)
    var report = ReportValues.report()
    for _ in 0..<10_000 {
      let nanoseconds = Int64.random(in: 0 ... .max, using: &random) >> Int64.random(in: 0..<63, using: &random)
      report.stragglers.append(Straggler(session: "", in: "", age: .nanoseconds(nanoseconds)))
    }
    let json = report.json()
    #expect(try LifecycleReport(json: json) == report)
    #expect(!json.contains(try Regex("[0-9][eE]")))
  }

  @Test("The report of a run comes back, with sessions, child phases and stragglers in it")
  func run() async throws {
    let clock = ManualClock()
    let shop = Lifecycle("shop", grace: .seconds(20))
    let database = shop.phase("database", script: .obedient, on: clock)
    shop.phase("web", requires: database, limit: .seconds(5)) { phase in
      phase.ready()
      let late = try phase.beginSession("GET /feed")
      try phase.beginSession().end()
      clock.recorder.record("web: busy")
      try await withPhase("import") { _ in await phase.drainRequested() }
      #expect(throws: PhaseError.self) { try phase.beginSession().end() }
      clock.recorder.record("web: imported")
      // Left waiting for ever: that is what is being tested.
      await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
      late.end()
    }
    async let running = shop.run(on: clock)
    await clock.recorder.wait(for: "web: busy")
    shop.requestStop(StopRequest(why: "deploy"))
    await clock.recorder.wait(for: "web: imported")
    clock.advance(by: .seconds(10))
    let report = await running
    try roundTrip(report)
    #expect(report.pid == ProcessInfo.processInfo.processIdentifier)
    #expect(report.startedAt?.description == "2000-01-01T00:00:00.000Z")
    #expect(report.stopRequestedAt?.description == "2000-01-01T00:00:00.000Z")
    #expect(report.endedAt?.description == "2000-01-01T00:00:10.000Z")
    #expect(report.text.contains(", 2000-01-01T00:00:00.000Z to 2000-01-01T00:00:10.000Z\n"))
    #expect(report.stragglers.map(\.name) == ["web", "GET /feed"])
    #expect(report.phases.map(\.requires) == [[], ["database"], []])
    #expect(report.phases[1].sessions?.abandoned == 1)
    #expect(report.phases.map(\.name) == ["database", "web", "web/import"])
  }

  @Test("A wrong configuration comes back, with all that is wrong with it, and its circle")
  func configuration() async throws {
    let shop = Lifecycle("shop", grace: .zero)
    shop.phase("a", requires: PhaseHandle("b"), limit: .zero) { _ in }
    shop.phase("b", requires: [PhaseHandle("a"), PhaseHandle("x")], startLimit: .seconds(-1)) { _ in }
    shop.phase("b") { _ in }
    let report = await shop.run(on: ManualClock())
    #expect(report.mistakes.count == 6)
    #expect(report.phases.map(\.requires) == [["b"], ["a"], []])
    try roundTrip(report)
  }
}
