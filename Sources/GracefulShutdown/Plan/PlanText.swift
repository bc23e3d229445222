extension StopPlan {
  /// A tree of the phases that fits a terminal of 100 columns.
  ///
  /// ```
  /// shop: a stop takes 25.5 s at most, of a grace of 28.0 s (from the program)
  ///     PHASE         LIMIT     DRAINS       FROM     UNTIL    START LIMIT
  ///   > web           10.0 s    10.0 s       0.000 s  13.0 s   none
  ///   >   queue       5.000 s   5.000 s      13.0 s   21.0 s   none
  /// !       database  5.000 s   4.000 s      21.0 s   27.0 s   20.0 s
  ///   start, in waves: database; queue; web
  ///   stop, in waves: web; queue; database
  ///   the slowest of the longest way down (>): web, 13.0 s
  /// ! with a grace of 29.0 s everybody would have its whole limit, whatever the others do; or shorten web by 1.000 s,
  ///   to 9.000 s
  /// ```
  ///
  /// From top to bottom is the way down, as in the text of a report. The times are those of the worst case: how long a phase
  /// drains at most, when it is told to, and when it has ended. `>` marks what makes the whole as long as it is, `!` who has
  /// less than its limit. Of more than 100 phases only the number is said.
  public var text: String {
    var lines = TerminalText.lines(of: "\(Self.short(lifecycle)): \(headline)", columns: Self.columns, most: 2)
    if mistakes.isEmpty { lines += PlanTable(self).text }
    for note in notes {
      let texts = TerminalText.lines(of: note.text, columns: Self.columns - 2, most: note.most)
      for (index, text) in texts.enumerated() { lines.append((note.isLoud && index == 0 ? "! " : "  ") + text) }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  static var columns: Int { 100 }
  private static var mostNotes: Int { 50 }
  private static var mostNames: Int { 8 }

  private struct Note {
    var isLoud = false
    var text: String
    var most = 6
  }

  private var headline: String {
    guard let worstCase else { return "the configuration is wrong, and nothing would be started" }
    return "a stop takes \(worstCase.brief) at most, of a grace of \(grace.brief) (from \(graceOrigin))"
  }

  private var notes: [Note] {
    guard mistakes.isEmpty else {
      let notes = mistakes.prefix(Self.mostNotes).map { Note(isLoud: true, text: "\($0)", most: 10) }
      let more = mistakes.count - Self.mostNotes
      return more > 0 ? notes + [Note(isLoud: true, text: "… and \(more) more mistakes")] : notes
    }
    return order + lameDuckNotes + startNotes + slowestNotes + fitNotes + platformNotes
  }

  private var order: [Note] {
    guard !phases.isEmpty else { return [Note(text: "there are no phases")] }
    return [
      Note(text: "start, in waves: \(Self.listed(startWaves))"),
      Note(text: "stop, in waves: \(Self.listed(stopWaves))"),
    ]
  }

  private var lameDuckNotes: [Note] {
    guard let lameDuck else { return [] }
    var text =
      "before anybody drains, everything is served on as a lame duck: for \(lameDuck.limit.brief) at most, and"
      + " \(lameDuck.minimum.brief) at least (from \(lameDuck.origin))"
    if lameDuck.isClipped { text += "; the grace leaves no more of the \(lameDuck.asked.brief) that it was to be" }
    return [Note(isLoud: lameDuck.isClipped, text: text)]
  }

  private var startNotes: [Note] {
    guard let startWorstCase, !phases.isEmpty else { return [] }
    return [Note(text: "the start takes \(startWorstCase.brief) at most")]
  }

  private var slowestNotes: [Note] {
    guard let slowest, let takes = phases.first(where: { $0.name == slowest })?.takes else { return [] }
    return [Note(text: "the slowest of the longest way down (>): \(Self.short(slowest)), \(takes.brief)")]
  }

  private var fitNotes: [Note] {
    guard !fits, let graceNeeded else { return [] }
    var notes: [Note] = []
    if !tightNested.isEmpty {
      let text =
        "the lifecycle that it holds has too short a grace for the limits in it: \(Self.listed(tightNested)); give it a"
        + " longer one, or shorten them"
      notes.append(Note(isLoud: true, text: text))
    }
    if !unlimited.isEmpty {
      let text =
        "without a limit, and others wait for it: \(Self.listed(unlimited)); it may leave no time to them, so give it"
        + " a limit"
      notes.append(Note(isLoud: true, text: text))
    }
    if graceNeeded > grace {
      var text = "with a grace of \(graceNeeded.brief) everybody would have its whole limit, whatever the others do"
      let shorter = shortenings.prefix(Self.mostNames).map {
        "\(Self.short($0.phase)) by \(($0.from - $0.to).brief), to \($0.to.brief)"
      }
      if !shorter.isEmpty {
        text += "; or shorten \(GracefulShutdown.listed(shorter, of: shortenings.count))"
      }
      notes.append(Note(isLoud: true, text: text))
    }
    return notes
  }

  private var platformNotes: [Note] {
    guard let platform else { return [] }
    guard isKilledEarly else {
      return [Note(text: "the platform kills after \(platform.duration.brief) (\(platform.source))")]
    }
    let advice = platform.advice(for: GraceSetting(grace, from: graceOrigin))
    let text = "the platform kills after \(platform.duration.brief) (\(platform.source)), before the grace is over"
    return [Note(isLoud: true, text: "\(text): \(advice)")]
  }

  static func short(_ name: String) -> String { TerminalText(name, columns: 40).string }

  private static func listed(_ names: [String]) -> String {
    GracefulShutdown.listed(names.prefix(mostNames).map { short($0) }, of: names.count)
  }

  private static func listed(_ waves: [[String]]) -> String {
    let shown = waves.prefix(24).map { listed($0) }
    let more = waves.count - shown.count
    return shown.joined(separator: "; ") + (more > 0 ? "; and \(more) more waves" : "")
  }
}
