import Graceful
import GracefulShutdown

/// Reports as no run would make them.
enum ReportValues {
  static let sources: [StopRequest.Source] = [
    .signal(15), .signal(-1), .code, .control, .successor(4711), .phaseFailed("web"),
    .phaseEnded("a \"b\" \\ /\n\u{1B}\u{0}"),
    .cancellation, .serviceGroup, .file("/tmp/process.stop"), .http,
    StopRequest.Source(kind: "consul", detail: "key \"a\"", escalatesWhenRepeated: true), StopRequest.Source(kind: ""),
  ]
  static let urgencies: [StopRequest.Urgency] = [.drain, .cancelNow, .exitNow]
  static let ends: [PhaseEnd] = [
    .drained, .endedByItself, .cancelled, .cancelled(error: "late"), .abandoned, .failed("no port"), .failed(""),
    .neverStarted,
  ]
  static let mistakes: [ConfigurationMistake.Kind] = [
    .duplicateName("web"), .unknownRequirement(phase: "web", requires: "databse"), .cycle(["a", "b", "a"]),
    .graceNotPositive(.seconds(-3)), .limitNotPositive(phase: "web", .zero),
    .startLimitNotPositive(phase: "web", .milliseconds(-1)), .emptyName, .runInside(phase: "web/import"),
    .triggerCannotListen(trigger: "SIGKILL", reason: "never"),
    .environment(variable: "GRACEFUL_GRACE_SECONDS", value: "soon", reason: "it must be a number of seconds"),
  ]
  /// From an attosecond to longer than a machine runs.
  static let durations: [Duration] = [
    .zero, Duration(secondsComponent: 0, attosecondsComponent: 1), .nanoseconds(1), .nanoseconds(123_456_789),
    .seconds(25), .nanoseconds(99_999), .nanoseconds(100_000), .nanoseconds(100_001), .nanoseconds(999_999_999_999_999),
    .nanoseconds(1_000_000_000_000_001), .nanoseconds(123_456_789_012_345), .nanoseconds(9_007_199_254_740_993),
    .seconds(Int64.max), .nanoseconds(100_000_000_000_000_001),
    Duration(secondsComponent: 86_399, attosecondsComponent: 999_999_999_999_999_999),
  ]

  static func report(
    request: StopRequest? = StopRequest(source: .signal(15)), mistakes: [ConfigurationMistake] = [],
    phases: [PhaseReport] = [], stragglers: [Straggler] = [], took: Duration = .seconds(5),
    grace: Duration = .seconds(25)
  ) -> LifecycleReport {
    LifecycleReport(
      lifecycle: "shop", request: request, mistakes: mistakes, phases: phases, stragglers: stragglers,
      ran: .seconds(3600), took: took, grace: grace, endedBySignal: nil, ignored: [])
  }

  static func phase(_ name: String, _ end: PhaseEnd) -> PhaseReport {
    PhaseReport(
      name: name, end: end, startedAfter: .zero, readyAfter: .milliseconds(1), drainAfter: .seconds(3),
      turnAfter: nil, endedAfter: .seconds(4))
  }

  /// One of everything.
  static var everything: LifecycleReport {
    var phases = ends.enumerated().map { phase("phase \($0)", $1) }
    phases[0].sessions = SessionReport(
      admitted: .max, refused: 1, drained: 2, failed: 3, cancelled: 4, abandoned: 5)
    phases[0].requires = ["phase 1", "phase 2"]
    phases[1].parent = "phase 0"
    phases[2].restarted = 3
    phases[2].restarts = [
      RestartReport(after: .zero, reason: "connection\nlost", delay: .nanoseconds(100_000_001)),
      RestartReport(after: .seconds(3), reason: "", delay: .zero),
      RestartReport(after: .seconds(4), reason: "x", delay: nil),
    ]
    var report = report(
      request: StopRequest(source: .phaseFailed("web"), why: "no port", urgency: .cancelNow),
      mistakes: mistakes.map { ConfigurationMistake(kind: $0) }, phases: phases,
      stragglers: [
        Straggler(phase: "phase 4"),
        Straggler(session: "POST /orders", in: "phase 4", age: .nanoseconds(12_345_678_901)),
      ])
    report.graceOrigin = .environment
    report.endedBySignal = 2
    report.pid = .max
    report.startedAt = UTCTime(milliseconds: .min)
    report.endedAt = UTCTime(milliseconds: .max)
    report.childrenOpened = 4711
    report.lameDuck = LameDuck.Report(took: .nanoseconds(3_000_000_001), end: .takenOver, limit: .seconds(5))
    report.ignored = ["a stop after the end", ""]
    return report
  }
}
