extension LifecycleReport {
  /// A table that fits a terminal of 80 columns.
  ///
  /// A straggler, a failure and a mistake begin with `!`.
  public var text: String {
    var lines = ["\(lifecycle): \(headline)"]
    let width = min(phases.map(\.name.count).max() ?? 0, 24)
    for phase in phases {
      let loud = phase.end.isStraggler || phase.end.isFailed
      var line = loud ? "! " : "  "
      line += phase.name.padded(to: width) + "  "
      line += (loud ? phase.end.description.uppercased() : phase.end.description).padded(to: 15)
      line += "  " + phase.detail
      lines.append(line.clipped(to: 80))
      if let error = phase.end.error { lines.append(("!     " + error).clipped(to: 240)) }
    }
    for mistake in mistakes { lines.append("! \(mistake)") }
    for note in ignored { lines.append("  ignored: \(note)".clipped(to: 160)) }
    lines.append("  exit \(exitCode): \(verdict)")
    return lines.joined(separator: "\n") + "\n"
  }

  /// One line, for a log.
  public var summary: String {
    var counts: [(String, Int)] = []
    for phase in phases {
      let word = phase.end.description
      if let known = counts.firstIndex(where: { $0.0 == word }) {
        counts[known].1 += 1
      } else {
        counts.append((word, 1))
      }
    }
    let ends = counts.map { "\($0.1) \($0.0)" }.joined(separator: ", ")
    return "\(lifecycle): \(headline); \(ends.isEmpty ? "no phases" : ends); exit \(exitCode): \(verdict)"
  }

  private var headline: String {
    guard let request else { return "not started" }
    return "ran \(ran.brief), stopped in \(took.brief) of \(grace.brief), asked by \(request)"
  }

  private var verdict: String {
    if let endedBySignal { return "ended at once by \(StopRequest.Asker.signal(endedBySignal))" }
    let stragglers = stragglers
    if !stragglers.isEmpty { return "not ended in time: \(stragglers.map(\.description).joined(separator: ", "))" }
    if !mistakes.isEmpty { return "the configuration is wrong" }
    let failed = phases.filter(\.end.isFailed).map(\.name)
    return failed.isEmpty ? "clean" : "failed: \(failed.joined(separator: ", "))"
  }
}

extension PhaseReport {
  fileprivate var detail: String {
    switch end.kind {
    case .neverStarted, .endedByItself: ""
    case .abandoned: "still running after \(drainedFor?.brief ?? "no time at all")"
    case .drained, .cancelled, .failed:
      if let drainedFor { "after \(drainedFor.brief)" } else if drainAfter == nil { "before its turn" } else { "" }
    }
  }
}

extension Duration {
  /// For people: `0.412 s`, `12.3 s`, `3 min 20 s`.
  package var brief: String {
    let (seconds, attoseconds) = components
    if seconds >= 120 { return "\(seconds / 60) min \(seconds % 60) s" }
    let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
    if seconds >= 10 { return "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s" }
    let fraction = String(milliseconds % 1000)
    return "\(milliseconds / 1000)." + String(repeating: "0", count: max(0, 3 - fraction.count)) + fraction + " s"
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String {
    self + String(repeating: " ", count: Swift.max(0, width - count))
  }

  /// A line break in an error text must not break the table.
  fileprivate func clipped(to width: Int) -> String {
    let line = String(map { $0.isNewline ? " " : $0 })
    let short = line.count <= width ? line : line.prefix(width - 1) + "…"
    return String(short.reversed().drop { $0 == " " }.reversed())
  }
}

extension LifecycleReport {
  /// The metadata of the summary in the log.
  var logMetadata: [String: String] {
    var metadata = ["stop.took": took.brief, "exit.code": "\(exitCode)"]
    if !stragglers.isEmpty { metadata["stragglers"] = stragglers.map(\.description).joined(separator: ", ") }
    return metadata
  }
}
