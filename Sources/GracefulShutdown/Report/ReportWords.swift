extension PhaseReport {
  /// Whether a reader should look at it.
  ///
  /// The error of a child phase went to the code that opened it.
  package var isLoud: Bool { end.isStraggler || end.isFailed && parent == nil }

  /// How long it took, as far as that is worth saying.
  package var detail: String {
    switch end.kind {
    case .neverStarted, .endedByItself: ""
    case .abandoned: "still running after \(drainedFor?.brief ?? "no time at all")"
    case .drained, .cancelled, .failed:
      if let drainedFor { "after \(drainedFor.brief)" } else if drainAfter == nil { "before its turn" } else { "" }
    }
  }

  /// How the error of a phase begins whose start limit was over.
  static var slowStart: String { "not ready within its start limit of" }

  /// Whether it was cancelled because its start took too long, and for nothing else.
  var wasSlowToStart: Bool { end.isCancelled && end.error?.hasPrefix(Self.slowStart) == true }

  /// `restarted 2 times`, and then each: `at 0.300 s, again after 0.200 s: connection lost`.
  ///
  /// A restart that did not come was one too many, which is how the phase ended then; or a stop came first.
  ///
  /// Of many the first four and the last four.
  var restartLines: [String] {
    guard !restarts.isEmpty else { return [] }
    let never = end.error == nil ? "not started again" : "gave up"
    let lines = restarts.map { restart in
      let then = restart.delay.map { "again after \($0.brief)" } ?? never
      return "at \(restart.after.brief), \(then): \(restart.reason)"
    }
    let head = restarted == 0 ? "never restarted" : "restarted \(restarted == 1 ? "once" : "\(restarted) times")"
    if lines.count <= 8, restarts.count >= restarted { return [head] + lines }
    let given = restarts.count { $0.delay != nil }
    let hidden = max(lines.count - 8, 0) + max(restarted - given, 0)
    return [head] + lines.prefix(4) + ["… and \(hidden) more"] + lines.dropFirst(4).suffix(4)
  }

  /// `3 drained, 1 abandoned`, in the order in which they come.
  static func countedByEnd(_ phases: [PhaseReport]) -> String {
    var counts: [(word: String, count: Int)] = []
    for phase in phases {
      if let known = counts.firstIndex(where: { $0.word == phase.end.description }) {
        counts[known].count += 1
      } else {
        counts.append((phase.end.description, 1))
      }
    }
    return counts.map { "\($0.count) \($0.word)" }.joined(separator: ", ")
  }
}

extension SessionReport {
  var isLoud: Bool { cancelled > 0 || abandoned > 0 }

  /// `12 drained, 1 ABANDONED, 10234 in all`.
  package var text: String {
    let parts = [
      (drained, "drained"), (cancelled, "CANCELLED"), (abandoned, "ABANDONED"), (failed, "failed"),
      (refused, "refused"),
    ]
    return (parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" } + ["\(admitted) in all"]).joined(separator: ", ")
  }
}

/// The first few of so many, and how many more.
func listed(_ names: [String], of count: Int) -> String {
  names.joined(separator: ", ") + (count > names.count ? ", and \(count - names.count) more" : "")
}

extension Duration {
  /// For people: `0.412 s`, `12.3 s`, `3 min 20 s`.
  package var brief: String {
    guard self >= .zero else { return "-" + (.zero - self).brief }
    // Beyond that, `components` traps.
    let (seconds, attoseconds) = min(self, .seconds(Int64.max)).components
    if seconds >= 120 { return "\(seconds / 60) min \(seconds % 60) s" }
    let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
    if seconds >= 10 { return "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s" }
    let fraction = String(milliseconds % 1000)
    return "\(milliseconds / 1000)." + String(repeating: "0", count: max(0, 3 - fraction.count)) + fraction + " s"
  }
}
