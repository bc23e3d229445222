import Testing
import WholeMachine

/// S7, with real processes: the stop comes while phases fail, wait, and are started again.
@Suite("A stop while services restart", .wholeMachine, .serialized)
struct StopWhileRestartingTests {
  @Test("S7: SIGTERM at a random instant while eight services restart, 500 times: in order, never stuck")
  func fiveHundredTimes() async throws {
    let programs = StoppedPrograms<RestartTranscript>(program: "RestartingProgram") { code, errors in
      // One that fails after it has heard of the stop, but before it knows, has failed while it stopped.
      code == 1 && errors.contains("exit 1: failed")
    }
    let outcomes = try await programs.run(500) { [String($0), String(Int64.random(in: 0...120_000))] }
    for outcome in outcomes { #expect(outcome.fault == nil, "\(outcome.fault ?? "")") }
    let failures = outcomes.map(\.transcript.failures).sorted()
    let starts = outcomes.reduce(0) { $0 + $1.transcript.starts }
    print(
      """
      S7: \(outcomes.count) programs were stopped after 0 to \(failures.last ?? 0) failures (median \
      \(failures[failures.count / 2]), \(failures.reduce(0, +)) in all), and had \(starts) starts
      """)
    #expect(outcomes.count == 500)
    #expect(failures[250] > 0, "else nothing restarts")
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
