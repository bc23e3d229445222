/// The phases of a plan, line by line.
struct PlanTable {
  private static let mostPhases = 100
  /// From here on the level is a number.
  private static let deepest = 8
  private static let widestName = 44
  private static let titles = ["LIMIT", "DRAINS", "FROM", "UNTIL", "START LIMIT"]

  private struct Line {
    var isShort: Bool
    var isCritical: Bool
    var indent: Int
    var name: String
    var cells: [String]
  }

  private let lines: [Line]
  private let hidden: Int

  init(_ plan: StopPlan) {
    let critical = Set(plan.criticalPath)
    let rows = plan.rows
    lines = rows.prefix(Self.mostPhases).map { Self.line(plan.phases[$0.phase], at: $0.level, critical) }
    hidden = rows.count - lines.count
  }

  private static func line(_ phase: PhasePlan, at level: Int, _ critical: Set<String>) -> Line {
    let indent = 2 * min(level, deepest)
    let name = level > deepest ? "\(level)› \(phase.name)" : phase.name
    return Line(
      isShort: phase.isShort, isCritical: critical.contains(phase.name), indent: indent,
      name: name,
      cells: [
        cell(phase.nestedGrace ?? phase.limit) ?? "none", cell(phase.drainsFor) ?? "", cell(phase.drainsAfter) ?? "",
        cell(phase.endsAfter) ?? "", cell(phase.startLimit) ?? "none",
      ])
  }

  /// Never wide: a limit of a hundred years stands for none.
  private static func cell(_ duration: Duration?) -> String? {
    guard let duration, duration >= .seconds(1000 * 60) else { return duration?.brief }
    let hours = Int64(duration / .seconds(3600))
    return "\(hours / 24) d \(hours % 24) h"
  }

  var text: [String] {
    guard !lines.isEmpty else { return [] }
    let title = Line(
      isShort: false, isCritical: false, indent: 0, name: "PHASE", cells: Self.titles)
    let widths = Self.titles.indices.map { index in ([title] + lines).map { $0.cells[index].count }.max() ?? 0 }
    let room = min(Self.widestName, StopPlan.columns - 4 - widths.reduce(0) { $0 + 2 + $1 })
    let names = ([title] + lines).map { TerminalText($0.name, columns: room - $0.indent) }
    let width = zip([title] + lines, names).map { $0.indent + $1.columns }.max() ?? 0
    let table = zip([title] + lines, names).map { line, name in
      var text = (line.isShort ? "! " : "  ") + (line.isCritical ? "> " : "  ")
      text += String(repeating: " ", count: line.indent) + name.padded(to: width - line.indent)
      for (cell, width) in zip(line.cells, widths) { text += "  " + TerminalText(cell, columns: 40).padded(to: width) }
      return String(text.reversed().drop { $0 == " " }.reversed())
    }
    return hidden > 0 ? table + ["  … and \(hidden) more phases"] : table
  }
}

extension StopPlan {
  /// From top to bottom in the order of the way down, as in a report.
  package var rows: [ReportTree.Row] {
    let reports = phases.map { phase in
      PhaseReport(
        name: phase.name, requires: phase.requires, end: .neverStarted, startedAfter: nil, readyAfter: nil,
        drainAfter: nil, turnAfter: nil, endedAfter: nil)
    }
    return ReportTree(reports).rows
  }
}
