/// The phases of a report, line by line, within 80 columns: a name, how it ended, and how long that took.
struct ReportTable {
  static let columns = 80
  // More would not be read. What is not in order is shown first.
  private static let mostPhases = 100
  private static let mostSessions = 50
  private static let mostSessionsOfAPhase = 10
  /// From here on the level is a number.
  private static let deepest = 8
  private static let widestName = 32

  private enum Line {
    case cells(isLoud: Bool, indent: Int, name: TerminalText, word: String, detail: String)
    case text(isLoud: Bool, indent: Int, String, most: Int)
  }

  private let report: LifecycleReport
  private var lines: [Line] = []
  private var sessions: [String: [Straggler]] = [:]
  private var sessionsShown = 0
  private var sessionsHidden = 0

  init(_ report: LifecycleReport) {
    self.report = report
    for straggler in report.stragglers where straggler.kind == .session {
      sessions[straggler.phase, default: []].append(straggler)
    }
    let rows = report.rows(most: Self.mostPhases)
    for row in rows { add(row) }
    // Of phases that are not shown, or not in the report at all.
    for straggler in report.stragglers where straggler.kind == .session && sessions[straggler.phase] != nil {
      addSessions(of: straggler.phase, indent: 0, withPhase: true)
    }
    if sessionsHidden > 0 {
      lines.append(.text(isLoud: true, indent: 0, "… and \(sessionsHidden) more sessions", most: 1))
    }
    let shown = Set(rows.map(\.phase))
    let hidden = report.phases.indices.filter { !shown.contains($0) }.map { report.phases[$0] }
    if !hidden.isEmpty {
      let text = "… and \(hidden.count) more phases: \(PhaseReport.countedByEnd(hidden))"
      lines.append(.text(isLoud: hidden.contains(where: \.isLoud), indent: 0, text, most: 1))
    }
  }

  private mutating func add(_ row: ReportTree.Row) {
    let phase = report.phases[row.phase]
    let indent = 2 * min(row.level, Self.deepest)
    var name = report.name(in: row)
    if row.level > Self.deepest { name = "\(row.level)› \(name)" }
    let others = row.others.prefix(2).map { TerminalText(report.phases[$0].name, columns: 24).string }
    var detail = phase.detail
    if !others.isEmpty { detail += (detail.isEmpty ? "" : ", ") + "also for \(listed(others, of: row.others.count))" }
    lines.append(
      .cells(
        isLoud: phase.isLoud, indent: indent, name: TerminalText(name, columns: Self.widestName - indent),
        word: phase.isLoud ? phase.end.description.uppercased() : phase.end.description, detail: detail))
    if let error = phase.end.error { lines.append(.text(isLoud: phase.isLoud, indent: indent + 4, error, most: 3)) }
    for (number, restart) in phase.restartLines.enumerated() {
      lines.append(.text(isLoud: phase.isLoud, indent: indent + (number == 0 ? 4 : 6), restart, most: 2))
    }
    if let sessions = phase.sessions, !sessions.isEmpty {
      lines.append(.text(isLoud: sessions.isLoud, indent: indent + 4, "sessions: \(sessions.text)", most: 2))
    }
    addSessions(of: phase.name, indent: indent + 4, withPhase: false)
  }

  private mutating func addSessions(of phase: String, indent: Int, withPhase: Bool) {
    guard let late = sessions.removeValue(forKey: phase) else { return }
    let shown = late.prefix(min(Self.mostSessionsOfAPhase, Self.mostSessions - sessionsShown))
    sessionsShown += shown.count
    for straggler in shown {
      let name = withPhase ? "\(straggler.name) in \(phase)" : straggler.name
      lines.append(
        .cells(
          isLoud: true, indent: indent, name: TerminalText(name, columns: Self.widestName - indent), word: "LATE",
          detail: straggler.age.map { "\($0.brief) old" } ?? ""))
    }
    guard shown.count < late.count else { return }
    if shown.isEmpty {
      sessionsHidden += late.count
    } else {
      lines.append(.text(isLoud: true, indent: indent, "… and \(late.count - shown.count) more", most: 1))
    }
  }

  var text: [String] {
    var widths = (name: 0, word: 0)
    for case .cells(_, let indent, let name, let word, _) in lines {
      widths = (max(widths.name, indent + name.columns), max(widths.word, word.count))
    }
    return lines.flatMap { line -> [String] in
      switch line {
      case .cells(let isLoud, let indent, let name, let word, let detail):
        let start =
          Self.margin(isLoud, indent) + name.padded(to: widths.name - indent) + "  "
          + TerminalText(word, columns: widths.word).padded(to: widths.word) + "  "
        let room = Self.columns - 6 - widths.name - widths.word
        let line = start + TerminalText.line(of: detail, columns: room)
        return [String(line.reversed().drop { $0 == " " }.reversed())]
      case .text(let isLoud, let indent, let text, let most):
        let room = Self.columns - 2 - indent
        return TerminalText.lines(of: text, columns: room, most: most).map { Self.margin(isLoud, indent) + $0 }
      }
    }
  }

  private static func margin(_ isLoud: Bool, _ indent: Int) -> String {
    (isLoud ? "! " : "  ") + String(repeating: " ", count: indent)
  }
}
