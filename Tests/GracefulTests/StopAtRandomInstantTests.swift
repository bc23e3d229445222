import CThreadSanitizer
import TestHost
import Testing

/// S10, with real processes: the stop comes while the phases start.
@Suite("A stop at a random instant of the start", .exclusive(.processors), .serialized)
struct StopAtRandomInstantTests {
  @Test("S10: SIGTERM at a random instant of the start of twelve phases, 500 times: unwound in order, never stuck")
  func fiveHundredTimes() async throws {
    let programs = StoppedPrograms<StartTranscript>(program: "starting")
    // How long a whole start takes on this machine now, eight at a time as below.
    let undisturbed = try await programs.run(24) { [String($0)] }
    for outcome in undisturbed { #expect(outcome.fault == nil, "undisturbed: \(outcome.fault ?? "")") }
    let starts = undisturbed.compactMap(\.transcript.whole).sorted()
    let whole = try #require(starts.isEmpty ? nil : starts[starts.count / 2])

    // With the thread sanitizer a fifth of them: there a start takes ten times as long.
    let times = cts_is_watching() ? 100 : 500
    let outcomes = try await programs.run(times) { [String($0), String(Int64.random(in: 0...(whole * 13 / 10)))] }
    for outcome in outcomes { #expect(outcome.fault == nil, "\(outcome.fault ?? "")") }
    let none = outcomes.count { $0.transcript.began.isEmpty }
    let before = outcomes.count { $0.transcript.began.count < StartTranscript.phases }
    let afterReady = outcomes.count { $0.transcript.whole != nil }
    print(
      """
      S10: a whole start takes \(whole) us; of \(outcomes.count) programs, \(before) were stopped before all 12 phases \
      had begun (\(none) of them before any had), and \(outcomes.count - before) after (\(afterReady) of them went on to \
      have all 12 ready)
      """)
    #expect(outcomes.count == times)
    // The instants are spread: how many phases had begun differs as much as it can.
    #expect(before > 0)
    #expect(outcomes.count - before > 0)
    #expect(Set(outcomes.map(\.transcript.began.count)).count >= 6)
  }

  @Test(
    "A transcript out of order is found to be so",
    arguments: [
      ("+ 0\n* 0\n", "0 began and never ended"),
      ("+ 0\n* 0\n+ 3\n* 3\n- 0\n- 3\n", "0 ended before 3, which requires it"),
      ("+ 0\n+ 3\n* 0\n* 3\n- 3\n- 0\n", "3 began before 0, which it requires, was ready"),
      ("+ 3\n* 3\n- 3\n", "3 began before 0, which it requires, was ready"),
      ("+ 0\n* 0\n- 0\n+ 3\n* 3\n- 3\n", "0 ended before 3, which requires it"),
      ("+ 0\n+ 0\n* 0\n- 0\n", "0 did a step twice"),
      ("+ 0\n* 0\n- 0\n- 1\n", "1 never began, but went on"),
    ])
  func faultyTranscripts(text: String, fault: String) {
    #expect(StartTranscript(text).faults == [fault])
  }

  @Test("A transcript in order has no fault")
  func goodTranscript() {
    #expect(StartTranscript("+ 0\n+ 1\n* 0\n+ 3\n* 1\n+ 4\n* 3\n- 3\n- 4\n- 1\n- 0\n").faults == [])
    #expect(StartTranscript("").faults == [])
  }
}
