import GracefulShutdown
import Testing

@Suite("A report")
struct ReportTests {
  private func phase(_ name: String, _ end: PhaseEnd, turn: Double? = 1, ended: Double? = 2) -> PhaseReport {
    .of(name, end, drain: turn, ended: ended)
  }

  @Test("shows the straggler at a glance, and fits a terminal")
  func text() {
    let report = LifecycleReport.of([
      phase("database", .drained), phase("producer", .abandoned, turn: 0, ended: 7.2),
      phase("web", .failed("connection reset\nby peer")), phase("late", .neverStarted, turn: nil, ended: nil),
    ])
    #expect(
      report.text == """
        shop: ran 60 min 0 s, stopped in 5.000 s of 25.0 s, asked by SIGTERM
          database  drained        after 1.000 s
        ! producer  ABANDONED      still running after 7.200 s
        ! web       FAILED         after 1.000 s
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

  @Test("is a tree: below those that require it, child phases in their parent, late sessions with their age")
  func tree() {
    var web = PhaseReport.of("web", .abandoned, requires: ["queue", "cache"])
    web.sessions = SessionReport(admitted: 10_234, refused: 3, drained: 12, failed: 2, cancelled: 0, abandoned: 1)
    var report = LifecycleReport.of([
      .of("database", .drained), .of("queue", .drained, requires: ["database"]),
      .of("cache", .drained, requires: ["database"]), web, .of("timer", .endedByItself, drain: nil, ended: 1),
      .of("web/import", .cancelled, parent: "web"), .of("web/import/rows", .drained, parent: "web/import"),
      .of("web/mail", .failed("no such host"), parent: "web"),
    ])
    report.stragglers += [Straggler(session: "POST /orders", in: "web", age: .seconds(12.3))]
    #expect(
      report.text == """
        shop: ran 60 min 0 s, stopped in 5.000 s of 25.0 s, asked by SIGTERM
        ! web               ABANDONED        still running after 1.000 s
        !     sessions: 12 drained, 1 ABANDONED, 2 failed, 3 refused, 10234 in all
        !     POST /orders  LATE             12.3 s old
        !   /import         CANCELLED        after 1.000 s
              /rows         drained          after 1.000 s
            /mail           failed           after 1.000 s
                no such host
            queue           drained          after 1.000 s
            cache           drained          after 1.000 s
              database      drained          after 1.000 s, also for queue
          timer             ended by itself
          exit 124: not ended in time: web, web/import, POST /orders in web (12.3 s old)

        """)
  }

  @Test("The error of a child phase went to its opener: the lifecycle ended clean, and its text says so")
  func childFailed() {
    let report = LifecycleReport.of([.of("web", .drained), .of("web/mail", .failed("x"), parent: "web")])
    #expect(report.exitCode == 0)
    #expect(report.text.hasSuffix("  exit 0: clean\n"))
    #expect(!report.text.contains("!"))
  }

  @Test("The exit code is the first that applies")
  func exitCodes() {
    #expect(LifecycleReport.of([phase("a", .drained), phase("b", .endedByItself)]).exitCode == 0)
    #expect(LifecycleReport.of([phase("a", .drained), phase("b", .neverStarted)]).exitCode == 0)
    #expect(LifecycleReport.of([phase("a", .failed("x"))]).exitCode == 1)
    #expect(LifecycleReport.of([phase("a", .failed("x")), phase("b", .cancelled)]).exitCode == 124)
    #expect(LifecycleReport.of([phase("a", .abandoned)]).exitCode == 124)
    var ended = LifecycleReport.of([phase("a", .abandoned)])
    ended.endedBySignal = 2
    #expect(ended.exitCode == 130)
  }

  @Test(
    "Durations read as people say them",
    arguments: [
      (Duration.milliseconds(7), "0.007 s"), (.milliseconds(1050), "1.050 s"), (.milliseconds(12_340), "12.3 s"),
      (.seconds(125), "2 min 5 s"), (.milliseconds(-12), "-0.012 s"),
      (.seconds(Int64.max) * 8, "153722867280912930 min 7 s"),
      (.zero - .seconds(Int64.max) * 8, "-153722867280912930 min 7 s"),
    ])
  func durations(duration: Duration, text: String) {
    #expect(duration.brief == text)
  }
}
