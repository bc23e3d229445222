extension LifecycleReport {
  /// A tree of the phases that fits a terminal of 80 columns.
  ///
  /// ```
  /// shop: ran 60 min 0 s, stopped in 7.200 s of 25.0 s, asked by SIGTERM
  ///   pid 4711, 2026-11-21T05:46:33.120Z to 2026-11-21T06:46:40.320Z
  /// ! web            ABANDONED  still running after 7.200 s
  /// !     sessions: 12 drained, 1 ABANDONED, 10234 in all
  /// !     GET /feed  LATE       12.3 s old
  ///     /import      drained    after 0.100 s
  ///     queue        drained    after 0.020 s
  ///       database   drained    after 0.001 s
  ///   exit 124: not ended in time: web, GET /feed in web (12.3 s old)
  /// ```
  ///
  /// From top to bottom is the way down: a phase stands below those that require it, indented, and `also for` says which
  /// ones beside the one just above. A child phase, opened while the program ran, stands in its parent and begins with
  /// `/`. What was late or failed begins with `!` and is in capitals. Characters that a terminal would obey are
  /// escaped, what is too long ends with `…`, and of more than 100 phases and 50 late sessions only the number is said.
  public var text: String {
    var lines = head + origin + lameDuckLine + ReportTable(self).text
    for mistake in mistakes.prefix(Self.mostNotes) { lines += note("! ", "\(mistake)", most: 10) }
    if mistakes.count > Self.mostNotes { lines.append("! … and \(mistakes.count - Self.mostNotes) more mistakes") }
    if let hint { lines += note("  ", hint, most: 3) }
    for reason in ignored.prefix(Self.mostNotes) { lines += note("  ", "ignored: \(reason)", most: 2) }
    lines += note("  ", "exit \(exitCode): \(exitReason)", most: 6)
    return lines.joined(separator: "\n") + "\n"
  }

  /// One line, for a log.
  ///
  /// It is never longer than a few hundred characters, and has no control characters in it, whatever the names.
  public var summary: String {
    let ends = PhaseReport.countedByEnd(phases)
    let text = "\(name): \(headline); \(ends.isEmpty ? "no phases" : ends); exit \(exitCode): \(exitReason)"
    return TerminalText.line(of: text, columns: 1000)
  }

  private static var mostNotes: Int { 50 }
  private static var mostNames: Int { 8 }

  private func note(_ margin: String, _ text: String, most: Int) -> [String] {
    TerminalText.lines(of: text, columns: ReportTable.columns - 2, most: most).map { margin + $0 }
  }

  private var name: String { Self.short(lifecycle) }

  /// On one line, or who asked and why on the next ones.
  private var head: [String] {
    let line = TerminalText("\(name): \(headline)", columns: 1000)
    if line.columns <= ReportTable.columns { return [line.string] }
    let requestLines = request == nil ? [] : note("  ", requestLine, most: 3)
    return TerminalText.lines(of: "\(name): \(times)", columns: ReportTable.columns, most: 1) + requestLines
  }

  private var origin: [String] {
    guard let pid, let startedAt, let endedAt else { return [] }
    return ["  pid \(pid), \(startedAt) to \(endedAt)"]
  }

  private var lameDuckLine: [String] {
    lameDuck.map { ["  served on as a lame duck for \($0.took.brief) of \($0.limit.brief): \($0.end)"] } ?? []
  }

  /// How long it ran and took to stop, and who asked for that.
  package var headline: String { request == nil ? times : "\(times), \(requestLine)" }

  private var times: String {
    let origin = graceOrigin == .program ? "" : " (\(graceOrigin))"
    return request == nil ? "not started" : "ran \(ran.brief), stopped in \(took.brief) of \(grace.brief)\(origin)"
  }

  private var requestLine: String {
    request.map { "asked by \(TerminalText.line(of: "\($0)", columns: 200))" } ?? ""
  }

  /// Why it has its exit code.
  package var exitReason: String {
    if let endedBySignal { return "ended at once by \(StopRequest.Source.signal(endedBySignal))" }
    if !stragglers.isEmpty { return lateness }
    if !mistakes.isEmpty { return "the configuration is wrong" }
    let failed = phases.filter { $0.end.isFailed && $0.parent == nil }
    let names = failed.prefix(Self.mostNames).map { Self.short($0.name) }
    return failed.isEmpty ? "clean" : "failed: \(listed(names, of: failed.count))"
  }

  /// A phase that was cancelled because it was not ready in time was not late in the stop.
  private var lateness: String {
    let slow = Set(phases.filter(\.wasSlowToStart).map(\.name))
    let late = stragglers.filter { $0.kind != .phase || !slow.contains($0.name) }
    let starts = stragglers.filter { $0.kind == .phase && slow.contains($0.name) }
    let parts = [("not ready within the start limit", starts), ("not ended in time", late)].filter { !$1.isEmpty }
    return parts.map { "\($0): \(names(of: $1))" }.joined(separator: "; ")
  }

  private var stragglerNames: String { names(of: stragglers) }

  private func names(of stragglers: [Straggler]) -> String {
    let names = stragglers.prefix(Self.mostNames).map { TerminalText($0.description, columns: 72).string }
    return listed(names, of: stragglers.count)
  }

  private static func short(_ name: String) -> String { TerminalText(name, columns: 40).string }

  /// The metadata of the summary in the log.
  var logMetadata: [String: String] {
    var metadata = ["stop.took": took.brief, "exit.code": "\(exitCode)"]
    if !stragglers.isEmpty { metadata["stragglers"] = stragglerNames }
    return metadata
  }
}
