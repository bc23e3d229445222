import CThreadSanitizer
import TestHost
import Testing

/// S7, with real processes: the stop comes while phases fail, wait, and are started again.
@Suite("A stop while services restart", .exclusive(.processors), .serialized)
struct StopWhileRestartingTests {
  @Test("S7: SIGTERM at a random instant while eight services restart, 500 times: in order, never stuck")
  func fiveHundredTimes() async throws {
    let programs = StoppedPrograms<RestartTranscript>(program: "restarting") { code, errors in
      // A phase that fails after the stop was heard, but before the phase knows of it, has failed while it stopped.
      code == 1 && errors.contains("exit 1: failed")
    }
    let span = try await span(for: programs)
    // With the thread sanitizer a fifth of them: there a start takes ten times as long.
    let times = cts_is_watching() ? 100 : 500
    let outcomes = try await programs.run(times) { [String($0), String(Int64.random(in: 0...span))] }
    for outcome in outcomes { #expect(outcome.fault == nil, "\(outcome.fault ?? "")") }
    let failures = outcomes.map(\.transcript.failures).sorted()
    let starts = outcomes.reduce(0) { $0 + $1.transcript.starts }
    print(
      """
      S7: \(outcomes.count) programs were stopped within \(span) us, after 0 to \(failures.last ?? 0) failures (median \
      \(failures[failures.count / 2]), \(failures.reduce(0, +)) in all), and had \(starts) starts
      """)
    #expect(outcomes.count == times)
    #expect(failures[times / 2] > 0, "else nothing restarts")
  }

  /// Within how many microseconds the stop is to come, so that most programs have failed by a quarter of that: on this
  /// machine now, eight at a time as above.
  private func span(for programs: StoppedPrograms<RestartTranscript>) async throws -> Int64 {
    var span: Int64 = 120_000
    while span < 500_000 {
      let quarter = String(span / 4)
      let early = try await programs.run(24) { [String($0), quarter] }
      for outcome in early { #expect(outcome.fault == nil, "\(outcome.fault ?? "")") }
      if early.count(where: { $0.transcript.failures > 0 }) >= 18 { break }
      span *= 2
    }
    return span
  }

  @Test(
    "A transcript out of order is found to be so",
    arguments: [
      ("+ 0\n* 0\n", "0 began and never ended"),
      ("+ 0\n* 0\n+ 2\n* 2\n- 0\n- 2\n", "0 ended before 2, which requires it"),
      ("+ 1\n* 1\n+ 3\n+ 0\nx 1\n+ 1\n- 3\n- 1\n- 0\n", "1 began again before 3 had ended"),
      ("+ 0\nx 0\nx 0\n", "0 ended, and did not run"),
    ])
  func faultyTranscripts(text: String, fault: String) {
    #expect(RestartTranscript(text).faults.contains(fault))
  }
}
