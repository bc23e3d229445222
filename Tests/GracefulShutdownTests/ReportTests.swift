import GracefulShutdown
import Testing

@Suite("A report")
struct ReportTests {
  private func phase(_ name: String, _ end: PhaseEnd, turn: Double? = 1, ended: Double? = 2) -> PhaseReport {
    PhaseReport(
      name: name, end: end, startedAfter: .zero, readyAfter: .zero, drainAfter: turn.map { .seconds($0) },
      turnAfter: turn.map { .seconds($0) },
      endedAfter: ended.map { .seconds($0) })
  }

  private func report(_ phases: [PhaseReport]) -> LifecycleReport {
    LifecycleReport(
      lifecycle: "shop", request: StopRequest(who: .signal(15)), mistakes: [], phases: phases,
      stragglers: phases.filter(\.end.isStraggler).map { Straggler(phase: $0.name) }, ran: .seconds(3600),
      took: .seconds(5),
      grace: .seconds(25), endedBySignal: nil, ignored: [])
  }

  @Test("shows the straggler at a glance, and fits a terminal")
  func text() {
    let report = report([
      phase("database", .drained), phase("producer", .abandoned, turn: 0, ended: 7.2),
      phase("web", .failed("connection reset\nby peer")), phase("late", .neverStarted, turn: nil, ended: nil),
    ])
    #expect(
      report.text == """
        shop: ran 60 min 0 s, stopped in 5.000 s of 25.0 s, asked by SIGTERM
          database  drained          after 1.000 s
        ! producer  ABANDONED        still running after 7.200 s
        ! web       FAILED           after 1.000 s
        !     connection reset by peer
          late      never started
          exit 124: not ended in time: producer

        """)
    #expect(
      report.summary == """
        shop: ran 60 min 0 s, stopped in 5.000 s of 25.0 s, asked by SIGTERM; 1 drained, 1 abandoned, 1 failed, \
        1 never started; exit 124: not ended in time: producer
        """)
  }

  @Test("A name of any length leaves every line of the table within 80 columns")
  func longNames() {
    let report = report([phase(String(repeating: "x", count: 200), .drained)])
    let lines: [Substring] = report.text.split { $0.isNewline }
    #expect(lines.dropFirst().allSatisfy { $0.count <= 80 })
  }

  @Test("The exit code is the first that applies")
  func exitCodes() {
    #expect(report([phase("a", .drained), phase("b", .endedByItself)]).exitCode == 0)
    #expect(report([phase("a", .drained), phase("b", .neverStarted)]).exitCode == 0)
    #expect(report([phase("a", .failed("x"))]).exitCode == 1)
    #expect(report([phase("a", .failed("x")), phase("b", .cancelled)]).exitCode == 124)
    #expect(report([phase("a", .abandoned)]).exitCode == 124)
    var ended = report([phase("a", .abandoned)])
    ended.endedBySignal = 2
    #expect(ended.exitCode == 130)
  }

  @Test(
    "Durations read as people say them",
    arguments: [
      (Duration.milliseconds(7), "0.007 s"), (.milliseconds(1050), "1.050 s"), (.milliseconds(12_340), "12.3 s"),
      (.seconds(125), "2 min 5 s"),
    ])
  func durations(duration: Duration, text: String) {
    #expect(duration.brief == text)
  }
}
