public import GracefulShutdown

extension StopPlan {
  /// A picture of the worst case, as an SVG document: who drains when, who waits for whom, and by when all has to be over.
  ///
  /// Otherwise as that of a report (``LifecycleReport/svg()``).
  public func svg() -> String { PlanPicture(self).picture.svg }
}

/// What of a plan is drawn, and where.
struct PlanPicture {
  private static let mostPhases = 200

  private let plan: StopPlan
  private(set) var picture: TimelinePicture

  init(_ plan: StopPlan) {
    self.plan = plan
    picture = TimelinePicture(
      title: Self.title(of: plan), subtitle: Self.subtitle(of: plan), panels: [Self.panel(of: plan)])
    let rows = plan.rows.prefix(Self.mostPhases)
    let critical = Set(plan.criticalPath)
    var places: [Int: Int] = [:]
    for row in rows {
      places[row.phase] = picture.rows.count
      add(plan.phases[row.phase], level: row.level, isCritical: critical.contains(plan.phases[row.phase].name))
    }
    for row in rows {
      for other in [row.owner].compactMap({ $0 }) + row.others { link(other, row.phase, places) }
    }
    if rows.count < plan.phases.count { picture.notes.append("… and \(plan.phases.count - rows.count) more phases") }
    picture.notes += plan.mistakes.prefix(20).map { "mistake: \($0)" }
    let shorter = plan.shortenings.prefix(20).map { "\($0.phase) from \($0.from.brief) to \($0.to.brief)" }
    if !shorter.isEmpty {
      picture.notes.append(
        "with these limits shortened, everybody would have all of its own: " + shorter.joined(separator: ", "))
    }
  }

  private static func title(of plan: StopPlan) -> String {
    guard let worst = plan.worstCase else { return "\(plan.lifecycle): the configuration is wrong" }
    return "\(plan.lifecycle): a stop takes \(worst.brief) at most, of a grace of \(plan.grace.brief)"
  }

  private static func subtitle(of plan: StopPlan) -> [String] {
    let origin = "the grace is from \(plan.graceOrigin)"
    guard let platform = plan.platform else { return [origin] }
    return [origin + "; the platform kills after \(platform.duration.brief) (\(platform.source))"]
  }

  private static func panel(of plan: StopPlan) -> TimelinePicture.Panel {
    let times = StopTimetable(grace: max(plan.grace, .zero), at: .now)
    var marks = [
      TimelinePicture.Mark(at: times.cancelAt - times.requestedAt, label: "cancel"),
      TimelinePicture.Mark(at: times.abandonAt - times.requestedAt, label: "abandon", isDeadline: true),
      TimelinePicture.Mark(at: plan.grace, label: "grace", isDeadline: true),
    ]
    if let lameDuck = plan.lameDuck { marks.append(TimelinePicture.Mark(at: lameDuck.limit, label: "lame duck ends")) }
    if let platform = plan.platform, platform.duration <= plan.grace * 2 {
      marks.append(TimelinePicture.Mark(at: platform.duration, label: "killed", isDeadline: true))
    }
    let latest = marks.map(\.at).max() ?? .zero
    // A grace of years is for a stop that takes as long as it takes: what counts is how long that is.
    let worst = plan.worstCase ?? .zero
    let isNear = worst * 3 > plan.grace
    let end = isNear ? max(plan.grace, latest) : worst
    let length = min(max(end, .milliseconds(1)), .longest) * 1.05
    return TimelinePicture.Panel(
      title: "a stop in which everything takes its limit", length: length,
      marks: marks.sorted { $0.at < $1.at }, share: 1)
  }

  private mutating func add(_ phase: PhasePlan, level: Int, isCritical: Bool) {
    var bars: [TimelinePicture.Bar] = []
    func add(_ from: Duration, _ to: Duration, _ kind: TimelinePicture.Kind, _ what: String) {
      let title = "\(phase.name) \(what): \((to - from).brief), from \(from.brief) to \(to.brief)"
      bars.append(TimelinePicture.Bar(panel: 0, from: from, to: to, kind: kind, title: title))
    }
    if let start = phase.drainsAfter, let time = phase.drainsFor, let end = phase.endsAfter {
      let lame = min(plan.lameDuck?.limit ?? .zero, start)
      if lame > .zero { add(.zero, lame, .lameDuck, "is served on as a lame duck") }
      if start > lame { add(lame, start, .wait, "waits for those that require it") }
      add(start, start + time, isCritical ? .critical : .limit, "may drain")
      if end > start + time { add(start + time, end, .cancelled, "is cancelled") }
    }
    picture.rows.append(
      TimelinePicture.Row(name: phase.name, level: level, note: phase.note, bars: bars, isLoud: phase.isShort))
  }

  private mutating func link(_ from: Int, _ to: Int, _ places: [Int: Int]) {
    guard let fromRow = places[from], let toRow = places[to], let left = plan.phases[from].endsAfter,
      let right = plan.phases[to].drainsAfter, left <= right
    else { return }
    picture.links.append(
      TimelinePicture.Link(from: fromRow, to: toRow, panel: 0, left: left, right: right, isLast: left == right))
  }
}

extension PhasePlan {
  fileprivate var note: String {
    if let nestedGrace { return "holds a lifecycle with a grace of \(nestedGrace.brief)" }
    guard let limit else { return isShort ? "no limit, and no time left" : "no limit" }
    guard isShort, let drainsFor else { return "limit \(limit.brief)" }
    return "has \(drainsFor.brief) of its limit of \(limit.brief)"
  }
}
