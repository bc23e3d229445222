import Exploration
import Graceful
import TestHost
import Testing

@Suite("JSON that is no report", .valuesOnly, .timeLimit(.minutes(2)))
struct BadJSONTests {
  private func error(_ json: String) -> ReportFormatError? {
    do {
      _ = try LifecycleReport(json: json)
      return nil
    } catch {
      return error
    }
  }

  @Test(
    "What is not JSON is refused as that",
    arguments: ["", " ", "shop: ran 60 min", "{", "\u{0}", "{\"schema\": 1e999999999999}", "NaN"])
  func notJSON(text: String) {
    #expect(error(text)?.code == .notJSON, "\(error(text) as Any)")
    #expect(error(text)?.description.hasPrefix("cannot read a report: it is not JSON") == true)
  }

  @Test("Another schema is refused before anything else is asked, and the error says what to do")
  func otherSchema() {
    #expect(error("{\"schema\": 2}")?.code == .otherSchema)
    #expect(
      error("{\"schema\": 2}")?.description
        == "cannot read a report: its schema is 2; this version reads schema 1, so read it with the version that wrote it"
    )
    #expect(error("{}")?.description.hasPrefix("cannot read a report: schema is missing") == true)
    // A report of another kind.
    #expect(error("{\"schema\": 1, \"command\": [], \"restarts\": []}")?.code == .missingKey)
    #expect(error("[]")?.code == .badValue)
    #expect(error("null")?.code == .badValue)
    #expect(error("{\"schema\": \"1\"}")?.path == "schema")
  }

  @Test("Each key that is missing is named with its place")
  func missingKeys() throws {
    let lines = ReportValues.everything.json().split(separator: "\n", omittingEmptySubsequences: false)
    var named: Set<String> = []
    for (index, line) in lines.enumerated() {
      guard let colon = line.firstRange(of: "\" : ") else { continue }
      let key = line[..<colon.lowerBound].drop { $0 == " " }.dropFirst()
      var changed = lines.map(String.init)
      changed[index] = String(line).replacing("\"\(key)\"", with: "\"x\(key)\"", maxReplacements: 1)
      let found = error(changed.joined(separator: "\n"))
      // For people only, or following from the rest, or left out by older versions.
      if ["text", "exitCode", "stopRequestedAt", "lameDuck"].contains(key) {
        #expect(found == nil, "\(line)")
      } else {
        #expect(found?.code == .missingKey, "\(line): \(found as Any)")
        #expect(found?.path.hasSuffix(key) == true, "\(line): \(found as Any)")
        named.insert(found?.path ?? "")
      }
    }
    for path in ["phases[3].end", "stragglers[1].age", "request.who.phase", "mistakes[2].path"] {
      #expect(named.contains(path))
    }
  }

  @Test(
    "A value that its key cannot have is refused with its place",
    arguments: [
      ("\"end\" : \"drained\"", "\"end\" : \"gone\"", "phases[0].end"),
      ("\"end\" : \"drained\"", "\"end\" : null", "phases[0].end"),
      ("\"end\" : \"drained\"", "\"end\" : \"failed\"", "phases[0].error"),
      ("\"error\" : \"late\"", "\"error\" : 7", "phases[3].error"),
      (
        "\"end\" : \"cancelled\",\n      \"endedAfter\" : 4,\n      \"error\" : \"late\"",
        "\"end\" : \"drained\",\n      \"endedAfter\" : 4,\n      \"error\" : \"late\"", "phases[3].error"
      ),
      ("\"endedAfter\" : 4", "\"endedAfter\" : -4", "phases[0].endedAfter"),
      ("\"endedAfter\" : 4", "\"endedAfter\" : \"4\"", "phases[0].endedAfter"),
      ("\"endedAfter\" : 4", "\"endedAfter\" : 1e100", "phases[0].endedAfter"),
      ("\"endedAfter\" : 4", "\"endedAfter\" : true", "phases[0].endedAfter"),
      ("\"took\" : 5", "\"took\" : 9223372036854775808", "took"),
      ("\"took\" : 5", "\"took\" : null", "took"),
      ("\"refused\" : 1", "\"refused\" : -1", "phases[0].sessions.refused"),
      ("\"refused\" : 1", "\"refused\" : 1.5", "phases[0].sessions.refused"),
      ("\"refused\" : 1", "\"refused\" : 9223372036854775808", "phases[0].sessions.refused"),
      ("\"endedBySignal\" : 2", "\"endedBySignal\" : 4294967296", "endedBySignal"),
      ("\"pid\" : 2147483647", "\"pid\" : 2147483648", "pid"),
      ("\"startedAt\" : \"0000-", "\"startedAt\" : \"-001-", "startedAt"),
      ("\"endedAt\" : \"9999-", "\"endedAt\" : \"99999-", "endedAt"),
      ("\"endedAt\" : \"9999-12-31T23:59:59.999Z\"", "\"endedAt\" : 5", "endedAt"),
      ("\"kind\" : \"session\"", "\"kind\" : \"connection\"", "stragglers[1].kind"),
      ("\"kind\" : \"phaseFailed\"", "\"kind\" : 7", "request.who.kind"),
      ("\"urgency\" : \"cancelNow\"", "\"urgency\" : \"soon\"", "request.urgency"),
      ("\"ignored\" : [", "\"ignored\" : [ 5,", "ignored[0]"),
      ("\"requires\" : [", "\"requires\" : [ [],", "phases[0].requires[0]"),
    ])
  func badValues(good: String, bad: String, path: String) throws {
    let json = ReportValues.everything.json()
    #expect(json.contains(good))
    let found = error(json.replacing(good, with: bad, maxReplacements: 1))
    #expect(found?.code == .badValue, "\(found as Any)")
    #expect(found?.path == path, "\(found as Any)")
    #expect(found?.description.hasPrefix("cannot read a report: bad value at \(path): ") == true)
  }

  @Test("A key that this version does not know is passed over")
  func unknownKeys() throws {
    let json = ReportValues.everything.json().replacing(
      "\"name\" :", with: "\"colour\" : { \"a\" : [ null ] }, \"name\" :")
    #expect(try LifecycleReport(json: json) == ReportValues.everything)
  }

  @Test("A source that only a later version knows is read, as one of that kind")
  func laterSource() throws {
    let json = ReportValues.everything.json().replacing("\"kind\" : \"phaseFailed\"", with: "\"kind\" : \"moon\"")
    let source = try LifecycleReport(json: json).request?.source
    #expect(source == StopRequest.Source(kind: "moon", detail: "phase web, which failed"))
  }

  @Test("What is not JSON is refused with the place of the fault")
  func place() {
    #expect(
      error("{\n  \"schema\" 1}")?.description
        == "cannot read a report: it is not JSON (line 2, column 12: a key is followed by a colon); is the file whole?")
  }

  /// What was read must bear being shown, whatever it says.
  private func use(_ report: LifecycleReport) -> Int {
    report.text.count + report.summary.count + report.json().count + Int(report.exitCode)
      + report.phases.reduce(0) { $0 + ($1.drainedFor == nil ? 0 : 1) }
  }

  @Test("No text makes it trap: cut short anywhere, changed anywhere, nested without end")
  func hostile() {
    let bytes = Array(ReportValues.everything.json().utf8)
    for count in 0..<bytes.count - 2 { #expect(error(String(decoding: bytes[..<count], as: UTF8.self)) != nil) }
    var random = SplitMix64(seed: 1)
    var read = 0
    for _ in 0..<3000 {
      var changed = bytes
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        changed[Int.random(in: changed.indices, using: &random)] =
          "0123456789\"{}[],:.-+eE\\u \u{1}tnf".utf8.randomElement(using: &random) ?? 0
      }
      if let report = try? LifecycleReport(json: String(decoding: changed, as: UTF8.self)) {
        read += 1
        #expect(use(report) > 0)
      }
    }
    // Otherwise nothing of this was tried.
    #expect(read > 100)
    for text in [
      String(repeating: "[", count: 100_000), String(repeating: "{\"schema\":", count: 100_000),
      "{\"schema\":1,\"lifecycle\":\"\\ud800\"}",
      "{\"schema\":1,\"lifecycle\":\"" + String(repeating: "x", count: 1_000_000),
    ] {
      #expect(error(text) != nil)
    }
  }

  @Test("Numbers at the edge of what can be read can be shown")
  func edges() throws {
    let json = ReportValues.everything.json()
      .replacing("\"endedAfter\" : 4", with: "\"endedAfter\" : 9223372036854775807.999999999999999999")
      .replacing("\"endedBySignal\" : 2", with: "\"endedBySignal\" : 2147483647")
      .replacing("\"took\" : 5", with: "\"took\" : 0.\(String(repeating: "9", count: 60))")
      .replacing("\"grace\" : 25", with: "\"grace\" : -9223372036854775807")
      .replacing("\"drained\" : 2", with: "\"drained\" : 9223372036854775807")
    let report = try LifecycleReport(json: json)
    #expect(report.exitCode == 255)
    #expect(use(report) > 0)
  }
}
