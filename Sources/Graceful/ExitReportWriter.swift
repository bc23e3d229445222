internal import CGracefulSystem
internal import GracefulShutdown
internal import GracefulSystem
internal import Synchronization

/// What is written before the end, to where it is perhaps not read, without being held up by that.
///
/// Standard error may be a pipe that is full, or a terminal that is stopped (^S). It is not made non-blocking: that would
/// change the file for every process that has it open, the shell included. A file may lie on a disk that does not answer. So
/// threads of their own write, and they are waited for no longer than the limit.
enum ExitReportWriter {
  /// How long the exit waits for the report to be written: 400 ms; with a file up to 800 ms, as far as the grace has it.
  ///
  /// A file that is missing is missed by a program, and a machine that has no processor to spare may need longer for it than
  /// for the text. An exit at once by a signal waits no longer for it.
  static func limit(for report: LifecycleReport, withFile isKept: Bool) -> Duration {
    guard isKept, report.endedBySignal == nil else { return .milliseconds(400) }
    return max(.milliseconds(400), min(.milliseconds(800), report.grace - report.took))
  }

  /// The report: as text to a descriptor, and to a file when there is one.
  ///
  /// Neither waits for the other. When the file could not be written, or not in time, one line says so.
  /// - Parameters:
  ///   - file: Writes it there, and returns what went wrong.
  ///   - exitHooks: Said at the same time; those that come last, when all of it is done. They have a fifth of the limit, and up
  ///     to a second of what the grace has left; of those that take longer, a line each says so.
  ///   - deadline: By when this has returned; then it leaves a fifth of the time that there is for those that come last.
  static func write(
    _ report: LifecycleReport, to descriptor: Int32, file: (@Sendable (LifecycleReport) -> String?)? = nil,
    exitHooks: [ExitHook] = [], within limit: Duration, by deadline: ContinuousClock.Instant? = nil
  ) {
    let last = exitHooks.filter { $0.moment == .last }
    let left = deadline.map { max($0 - .now, .zero) }
    let limit = min(limit, left.map { last.isEmpty ? $0 : $0 * 4 / 5 } ?? limit)
    write(report, to: descriptor, file: file, exitHooks: exitHooks, until: .now + limit)
    guard !last.isEmpty else { return }
    var time = max(limit / 5, timeLeft(of: report, after: limit))
    // The lines have a part of it, too.
    if let deadline { time = min(time, max((deadline - .now) * 3 / 4, .zero)) }
    let unsaid = Unsaid(last.map(\.what))
    let works = last.indices.map { index -> @Sendable () -> Void in
      {
        last[index].say(report)
        unsaid.remove(index)
      }
    }
    _ = perform(works, until: .now + time)
    for what in unsaid.all {
      let line = "graceful: the exit waits no longer for \(what), which was not done within \(time / .seconds(1)) s"
      let text = TerminalText.line(of: line, columns: 4000) + "\n"
      let until = ContinuousClock.now + limit / 20
      _ = perform([{ writeAll(text, to: descriptor) }], until: deadline.map { min($0, until) } ?? until)
    }
  }

  /// One line, which may not be read.
  static func say(_ line: String, within limit: Duration) {
    _ = perform([{ writeAll(line, to: 2) }], until: .now + limit)
  }

  private final class Unsaid: Sendable {
    private let whats: Mutex<[Int: String]>

    init(_ whats: [String]) { self.whats = Mutex(Dictionary(uniqueKeysWithValues: zip(whats.indices, whats))) }

    var all: [String] { whats.withLock { $0 }.sorted { $0.key < $1.key }.map(\.value) }
    func remove(_ index: Int) { _ = whats.withLock { $0.removeValue(forKey: index) } }
  }

  /// A client waits for the answer that comes last, and a machine that has no processor to spare takes longer for it: where
  /// the grace is not over, it is waited for up to a second.
  private static func timeLeft(of report: LifecycleReport, after limit: Duration) -> Duration {
    // An exit at once by a signal waits for no answer.
    report.endedBySignal != nil ? .zero : min(.seconds(1), report.grace - report.took - limit)
  }

  private static func write(
    _ report: LifecycleReport, to descriptor: Int32, file: (@Sendable (LifecycleReport) -> String?)?,
    exitHooks: [ExitHook], until: ContinuousClock.Instant
  ) {
    let problem = Problem()
    // To put it into words takes time, too: of ten thousand phases, for instance.
    var works: [@Sendable () -> Void] = [{ writeAll(report.text, to: descriptor) }]
    if let file {
      works.append {
        problem.find { file(report) }
      }
    }
    works += exitHooks.filter { $0.moment == .withReport }.map { exitHook in { exitHook.say(report) } }
    // What is left is for the line.
    let started = perform(works, until: file == nil ? until : until - (until - .now) / 4)
    // The text is the first of them.
    if started == 0 { writeWhatFits(report.text, to: descriptor) }
    guard file != nil, let problem = problem.text.withLock({ $0 }) else { return }
    let line = TerminalText.line(of: "graceful: \(ReportFile.variable): no report written: \(problem)", columns: 4000)
    _ = perform([{ writeAll(line + "\n", to: descriptor) }], until: until)
  }

  /// Does something with a file that may not answer.
  ///
  /// - Returns: What went wrong.
  static func ask(within limit: Duration, _ work: @escaping @Sendable () -> String?) -> String? {
    let problem = Problem()
    _ = perform([{ problem.find(work) }], until: .now + limit)
    return problem.text.withLock { $0 }
  }

  private final class Problem: Sendable {
    /// Until it is known how it went, it takes too long.
    let text = Mutex<String?>("it takes too long")

    func find(_ work: () -> String?) {
      let found = work()
      text.withLock { $0 = found }
    }
  }

  /// Does all of it at the same time, and returns when everything is done or the time has come.
  ///
  /// - Returns: For how much of it there was a thread.
  private static func perform(_ works: [@Sendable () -> Void], until: ContinuousClock.Instant) -> Int {
    let done = CountdownLatch(works.count)
    let started = works.prefix { work in
      let thread: Void? = try? SystemThread.start("graceful-report") {
        work()
        done.countDown()
      }
      return thread != nil
    }
    for _ in started.count..<works.count { done.countDown() }
    _ = done.opened.wait(atMost: until - .now)
    return started.count
  }

  private static func writeAll(_ text: String, to descriptor: Int32) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { cgs_write(descriptor, $0.baseAddress, $0.count) }
      if count > 0 {
        rest = rest.dropFirst(count)
        continue
      }
      // The parent process made it non-blocking (EAGAIN), or a signal came (EINTR); anything else is the end of it.
      var poll = cgs_poll(fd: descriptor, wanted: Int16(CGS_POLL_OUT), happened: 0)
      guard cgs_poll(&poll, 1, -1) > 0, poll.happened & Int16(CGS_POLL_ERROR | CGS_POLL_INVALID) == 0 else { return }
    }
  }

  /// Without a thread to wait for: only if it looks as if it could be written now.
  private static func writeWhatFits(_ text: String, to descriptor: Int32) {
    var poll = cgs_poll(fd: descriptor, wanted: Int16(CGS_POLL_OUT), happened: 0)
    guard cgs_poll(&poll, 1, 0) > 0, poll.happened & Int16(CGS_POLL_OUT) != 0 else { return }
    // PIPE_BUF on Linux: a pipe that is writable takes so much without waiting (pipe(7)).
    let bytes = Array(text.utf8.prefix(4096))
    _ = cgs_write(descriptor, bytes, bytes.count)
  }
}
