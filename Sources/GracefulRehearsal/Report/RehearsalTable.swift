extension RehearsalReport {
  /// The report as a person reads it: restarts or stops, load, and the outcome in the last line.
  ///
  /// No control characters.
  public var table: String {
    var lines: [String] = []
    if !restarts.isEmpty {
      lines += Self.aligned(
        [
          [
            "restart", "asked ms", "outcome", "pid", "generation", "serving after ms", "known by", "old pid",
            "old ended after ms", "code",
          ]
        ]
          + restarts.map(\.cells))
      lines += restarts.compactMap(\.remark)
      lines.append("")
    }
    if !stops.isEmpty { lines += stopLines + [""] }
    let loads = [("keepalive", keepalive), ("new", new)].compactMap { name, load in load.map { (name, $0) } }
    if !loads.isEmpty {
      // Restarts turn no client away: a column of zeros would only take room.
      let turnedAway: (String) -> [String] = { stops.isEmpty ? [] : [$0] }
      lines += Self.aligned(
        [["", "requests", "answered"] + turnedAway("turned away") + ["failed", "closed: announced", "idle"]]
          + loads.map { name, load in
            [name, String(load.requests), String(load.answered)] + turnedAway(String(load.turnedAway)) + [
              String(load.failed.values.reduce(0, +)), String(load.announcedCloses), String(load.idleCloses),
            ]
          })
      for (name, load) in loads where !load.failed.isEmpty {
        let kinds = FailureKind.allCases.compactMap { kind in load.failed[kind].map { "\(kind.rawValue) \($0)" } }
        lines.append("failed on \(name): \(kinds.joined(separator: ", "))")
      }
      lines.append("")
      lines += Self.aligned(
        [["latency ms (closed loop)", "", "p50", "p99", "p99.9", "max"]]
          + loads.flatMap { name, load in
            [
              ("steady", load.steady), (stops.isEmpty ? "restarting" : "stopping", load.restarting),
              ("between", load.between),
            ].map {
              phase, latency in
              // A phase without an answer has no latency; zero would look like a fast one.
              [name, phase]
                + [latency.p50, latency.p99, latency.p999, latency.max].map {
                  latency.max > 0 ? Self.milliseconds($0) : "-"
                }
            }
          })
      lines.append(
        "Closed loop: a client waits for its answer before it asks again, so that a time in which the server answers "
          + "slowly shows in few requests.")
      lines.append("")
    }
    if !leftOver.isEmpty {
      lines.append("left over, and killed: \(leftOver.map(String.init).joined(separator: ", "))")
    }
    if !lastErrorLines.isEmpty, outcome.exitCode != 0 {
      lines.append("the server's last lines on standard error:")
      lines += lastErrorLines.map { "  \(Self.printable($0))" }
      lines.append("")
    }
    lines.append(Self.printable(outcome.description))
    return lines.joined(separator: "\n") + "\n"
  }

  /// Columns as wide as their widest cell; numbers to the right.
  static func aligned(_ rows: [[String]]) -> [String] {
    let widths = (0..<(rows.map(\.count).max() ?? 0)).map { column in
      rows.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      let cells = zip(row, widths).map { cell, width in
        let space = String(repeating: " ", count: width - cell.count)
        return cell.first?.isLetter == true && width > cell.count && !isNumberColumn(cell, rows)
          ? cell + space : space + cell
      }
      var line = cells.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }
  }

  /// Whether the column below this heading holds numbers.
  private static func isNumberColumn(_ heading: String, _ rows: [[String]]) -> Bool {
    guard let first = rows.first, let column = first.firstIndex(of: heading), rows.count > 1 else { return false }
    return rows.dropFirst().allSatisfy { $0[column].first.map { $0.isNumber || $0 == "-" } ?? true }
  }

  static func milliseconds(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
  }

  /// Servers colour their logs; a terminal that shows this report is not theirs to control.
  private static func printable(_ text: String) -> String {
    String(
      String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) }))
  }
}

extension RehearsalReport.Restart {
  fileprivate var cells: [String] {
    func number(_ value: Double?) -> String { value.map(RehearsalReport.milliseconds) ?? "-" }
    return [
      String(index), String(Int(requestedAtMs)), outcome.rawValue, pid.map(String.init) ?? "-",
      generation.map(String.init) ?? "-", number(servingAfterMs), provenBy?.rawValue ?? "-",
      oldPid.map(String.init) ?? "-",
      number(oldExitedAfterMs), oldExitCode.map(String.init) ?? "-",
    ]
  }
  /// What a person asks when it did not serve.
  fileprivate var remark: String? {
    switch outcome {
    case .served, .failed: nil
    case .gaveUp: answering.map { "restart \(index): process \($0), which was there before it, still answered" }
    case .notKnown: "restart \(index): the server answered, and which of its processes did is not to be seen"
    }
  }
}
