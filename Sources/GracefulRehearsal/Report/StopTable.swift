extension RehearsalReport {
  /// The stops as a person reads them, with how long they took.
  var stopLines: [String] {
    var lines = Self.aligned(
      [
        [
          "stop", "asked ms", "outcome", "pid", "ended after ms", "code", "turned away", "first after ms",
          "serving after ms",
        ]
      ] + stops.map(\.cells))
    let times = stops.compactMap(\.endedAfterMs).sorted()
    if let worst = times.last {
      let median = (times[(times.count - 1) / 2] + times[times.count / 2]) / 2
      lines.append("ended after: median \(Self.milliseconds(median)) ms, worst \(Self.milliseconds(worst)) ms")
    }
    for stop in stops {
      guard let code = stop.commandCode, code != 0 else { continue }
      lines.append("the command that asked for stop \(stop.index) failed: code \(code)")
    }
    return lines
  }
}

extension RehearsalReport.Stop {
  fileprivate var cells: [String] {
    func number(_ value: Double?) -> String { value.map(RehearsalReport.milliseconds) ?? "-" }
    return [
      String(index), String(Int(requestedAtMs)), outcome.rawValue, String(pid), number(endedAfterMs),
      exitCode.map(String.init) ?? "-", String(turnedAway), number(firstTurnedAwayAfterMs), number(servingAfterMs),
    ]
  }
}
