public import GracefulShutdown

extension LifecycleReport {
  /// A picture of the start and the stop, as an SVG document.
  ///
  /// A bar for each phase, from top to bottom in the order of the way down, with lines to those that waited for it; the
  /// deadlines; who was late or failed stands out. It can be read in light and dark (`prefers-color-scheme`), needs no
  /// script and loads nothing. Of more than 200 phases only the number is said.
  public func svg() -> String { ReportPicture(self).picture.svg }
}

/// What of a report is drawn, and where.
struct ReportPicture {
  private static let start = 0
  private static let stop = 1
  private static let mostPhases = 200

  private let report: LifecycleReport
  private(set) var picture: TimelinePicture
  /// The row of each phase.
  private var places: [Int: Int] = [:]
  /// Sessions, by the phase that they were in.
  private let late: [String: [Straggler]]

  init(_ report: LifecycleReport) {
    self.report = report
    picture = TimelinePicture(
      title: "\(report.lifecycle): exit \(report.exitCode): \(report.exitReason)", subtitle: [report.headline],
      panels: [Self.startPanel(of: report), Self.stopPanel(of: report)])
    late = Dictionary(grouping: report.stragglers.filter { $0.kind == .session }, by: \.phase)
    let rows = report.rows(most: Self.mostPhases)
    for row in rows {
      places[row.phase] = picture.rows.count
      add(row)
    }
    for row in rows { link(row) }
    if rows.count < report.phases.count {
      picture.notes.append("… and \(report.phases.count - rows.count) more phases")
    }
    picture.notes += report.mistakes.prefix(20).map { "mistake: \($0)" }
  }

  /// From the first phase to the last that was ready, and no longer: it may have run for weeks since.
  private static func startPanel(of report: LifecycleReport) -> TimelinePicture.Panel {
    let own = report.phases.filter { $0.parent == nil }
    // A phase that never was ready has a bar that goes on.
    let last = own.compactMap { $0.readyAfter ?? $0.startedAfter }.max() ?? .zero
    return TimelinePicture.Panel(title: "start", length: min(max(last, .milliseconds(1)), .longest) * 1.05, share: 0.28)
  }

  private static func stopPanel(of report: LifecycleReport) -> TimelinePicture.Panel {
    let times = StopTimetable(grace: report.grace, at: .now)
    var marks = [
      TimelinePicture.Mark(at: times.cancelAt - times.requestedAt, label: "cancel"),
      TimelinePicture.Mark(at: times.abandonAt - times.requestedAt, label: "abandon", isDeadline: true),
      TimelinePicture.Mark(at: report.grace, label: "grace", isDeadline: true),
    ]
    if let lameDuck = report.lameDuck {
      marks.insert(TimelinePicture.Mark(at: lameDuck.took, label: "lame duck ends"), at: 0)
    }
    // The deadlines are shown when it came near them; otherwise the bars would be too small to be seen.
    let isNear = report.took * 3 > report.grace
    // A file may say anything; an axis is no longer than a hundred years.
    let length = min(max(isNear ? max(report.grace, report.took) : report.took, .milliseconds(1)), .longest) * 1.05
    let far = isNear ? "" : " (its grace of \(report.grace.brief) ends far beyond this)"
    return TimelinePicture.Panel(title: "stop" + far, length: length, marks: marks, share: 0.72)
  }

  private mutating func add(_ row: ReportTree.Row) {
    let phase = report.phases[row.phase]
    let kind = Self.kind(of: phase.end)
    var bars: [TimelinePicture.Bar] = []
    func add(_ panel: Int, _ from: Duration, _ to: Duration, _ kind: TimelinePicture.Kind, _ what: String) {
      let title = "\(phase.name) \(what): \((to - from).brief), from \(from.brief) to \(to.brief)"
      bars.append(TimelinePicture.Bar(panel: panel, from: from, to: to, kind: kind, title: title))
    }
    if let started = phase.startedAfter, phase.parent == nil {
      let ready = phase.readyAfter ?? min(phase.endedAfter ?? report.ran, report.ran)
      let isReady = phase.readyAfter != nil
      add(Self.start, started, max(ready, started), isReady ? .start : .failed, isReady ? "starts" : "is not ready")
    }
    if let ended = phase.endedAfter, ended >= report.ran {
      let drain = max((phase.drainAfter ?? ended) - report.ran, .zero)
      let end = ended - report.ran
      let turn = phase.turnAfter.map { max(min($0 - report.ran, end), drain) }
      let lame = min(report.lameDuck?.took ?? .zero, drain)
      if lame > .zero { add(Self.stop, .zero, lame, .lameDuck, "is served on as a lame duck") }
      if drain > lame { add(Self.stop, lame, drain, .wait, "waits for those that require it") }
      if let turn, turn > drain { add(Self.stop, drain, turn, kind ?? .drain, kind.map(\.meaning) ?? "drains") }
      if phase.drainAfter != nil {
        let rest: TimelinePicture.Kind = turn == nil ? .drain : .turn
        add(Self.stop, turn ?? drain, end, kind ?? rest, (kind ?? rest).meaning)
      }
      if phase.end == .abandoned, !bars.isEmpty { bars[bars.count - 1].isOpen = true }
    }
    picture.rows.append(
      TimelinePicture.Row(
        name: report.name(in: row), level: row.level, note: phase.note, bars: bars, isLoud: phase.isLoud))
    if let sessions = phase.sessions, !sessions.isEmpty {
      picture.rows.append(
        TimelinePicture.Row(name: "sessions", level: row.level + 1, note: sessions.text, isPart: true))
    }
    addSessions(of: phase, level: row.level + 1)
  }

  /// Those that were late, below their phase.
  private mutating func addSessions(of phase: PhaseReport, level: Int) {
    let late = late[phase.name] ?? []
    for straggler in late.prefix(10) {
      guard let age = straggler.age else { continue }
      let bar = TimelinePicture.Bar(
        panel: Self.stop, from: .zero, to: (phase.endedAfter ?? report.ran) - report.ran, kind: .abandoned,
        title: "\(straggler)")
      picture.rows.append(
        TimelinePicture.Row(
          name: straggler.name, level: level, note: "late: \(age.brief) old", bars: [bar], isPart: true))
    }
    guard late.count > 10 else { return }
    picture.rows.append(TimelinePicture.Row(name: "… and \(late.count - 10) more", level: level, isPart: true))
  }

  private static func kind(of end: PhaseEnd) -> TimelinePicture.Kind? {
    if end == .abandoned { return .abandoned }
    if end.isCancelled { return .cancelled }
    return end.isFailed ? .failed : nil
  }

  /// What a phase waited for: those that require it for its drain, its children for its turn.
  private mutating func link(_ row: ReportTree.Row) {
    let phase = report.phases[row.phase]
    if row.isChild {
      guard let owner = row.owner, let turn = report.phases[owner].turnAfter else { return }
      add(from: row.phase, to: owner, until: turn, isLast: false)
    } else if let drain = phase.drainAfter {
      let above = ([row.owner].compactMap { $0 } + row.others).filter { report.phases[$0].endedAfter != nil }
      let last = above.compactMap { report.phases[$0].endedAfter }.max()
      for other in above {
        add(from: other, to: row.phase, until: drain, isLast: report.phases[other].endedAfter == last)
      }
    }
  }

  private mutating func add(from: Int, to: Int, until: Duration, isLast: Bool) {
    guard let left = report.phases[from].endedAfter, left >= report.ran, left <= until else { return }
    guard let fromRow = places[from], let toRow = places[to] else { return }
    picture.links.append(
      TimelinePicture.Link(
        from: fromRow, to: toRow, panel: Self.stop, left: left - report.ran, right: until - report.ran, isLast: isLast))
  }
}

extension PhaseReport {
  fileprivate var note: String {
    let how = [end.description, detail].filter { !$0.isEmpty }.joined(separator: end == .abandoned ? ", " : " ")
    return [how, end.error].compactMap { $0 }.joined(separator: ": ")
  }
}
