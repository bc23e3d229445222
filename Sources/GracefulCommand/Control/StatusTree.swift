internal import Foundation
internal import GracefulShutdown

/// A snapshot as lines for people.
struct StatusTree {
  var document: StatusDocument
  /// The process that answered: `process 123, generation 2`.
  var source: String

  /// The whole, as it is now.
  var lines: [String] { [headline] + rows }

  private var headline: String {
    let name = document.lifecycle.shown
    var words: [String]
    switch (document.state, document.request) {
    case ("stopping", let request):
      words = ["\(name): stopping"]
      if let left = document.left {
        let grace = Self.time(document.grace)
        words.append(left > 0 ? "\(Self.time(left)) of \(grace) left" : "its \(grace) are over")
      }
      if let request { words.append("asked by \(request.words)") }
    case ("finished", let request):
      words = ["\(name): finished"]
      if let request { words.append("asked by \(request.words)") }
    default:
      words = ["\(name): \(document.state)"]
      if let running = document.running { words.append("for \(Self.time(running))") }
    }
    return (source.isEmpty ? words : words + [source]).joined(separator: ", ")
  }

  private var rows: [String] {
    let phases = ordered
    let names = phases.map { phase, depth in
      String(repeating: "  ", count: depth + 1) + Self.ownName(phase).shown
    }
    let widest = min(names.map(\.count).max() ?? 0, 40)
    return zip(phases, names).map { phase, name in
      let padding = String(repeating: " ", count: max(0, widest - name.count))
      return "\(name)\(padding)  \(Self.words(phase.phase).joined(separator: ", "))"
    }
  }

  /// Each phase before its children; children without a parent that is shown come last.
  private var ordered: [(phase: StatusDocument.Phase, depth: Int)] {
    var children: [String: [StatusDocument.Phase]] = [:]
    let known = Set(document.phases.map(\.name))
    var roots: [StatusDocument.Phase] = []
    for phase in document.phases {
      if let parent = phase.parent, known.contains(parent), parent != phase.name {
        children[parent, default: []].append(phase)
      } else {
        roots.append(phase)
      }
    }
    var ordered: [(StatusDocument.Phase, Int)] = []
    var waiting: [(StatusDocument.Phase, Int)] = roots.reversed().map { ($0, 0) }
    while let (phase, depth) = waiting.popLast() {
      ordered.append((phase, depth))
      // Taken out: two of one name would otherwise show their children twice.
      for child in (children.removeValue(forKey: phase.name) ?? []).reversed() { waiting.append((child, depth + 1)) }
    }
    return ordered
  }

  private static func ownName(_ phase: StatusDocument.Phase) -> String {
    guard let parent = phase.parent, phase.name.hasPrefix(parent + "/") else { return phase.name }
    return String(phase.name.dropFirst(parent.count + 1))
  }

  /// What is said of a phase: that it is draining, how much of its time is left, its sessions.
  static func words(_ phase: StatusDocument.Phase) -> [String] {
    var words = [phase.end.map { $0 == "failed" ? "failed" : "ended: \($0.shown)" } ?? phase.state.shown]
    if phase.waits { words.append("waits for what restarts") }
    if phase.end == nil, let left = phase.left { words.append(left > 0 ? "\(time(left)) left" : "its time is over") }
    if phase.sessions.live > 0 { words.append(count(phase.sessions.live, "session")) }
    if phase.children > 0 { words.append(count(phase.children, "child phase")) }
    if phase.restarts > 0 { words.append("restarted \(count(phase.restarts, "time"))") }
    if let oldest = phase.sessions.oldest.first { words.append("\(oldest.name.shown) for \(time(oldest.age))") }
    return words
  }

  static func count(_ number: Int, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }

  static func time(_ seconds: Double) -> String {
    guard seconds.isFinite, abs(seconds) < 1e9 else { return "a long time" }
    if abs(seconds) < 100 { return String(format: "%.1f s", seconds) }
    let whole = Int(seconds.rounded())
    return whole < 6000 ? "\(whole / 60) min \(whole % 60) s" : "\(whole / 3600) h \(whole / 60 % 60) min"
  }

  /// What has changed since then, a line for each phase; nothing when nothing that is said has.
  func changes(since before: StatusDocument?) -> [String] {
    guard let before else { return lines }
    var changed: [String] = []
    if before.state != document.state { changed.append(headline) }
    let known = Dictionary(before.phases.map { ($0.name, $0) }) { first, _ in first }
    for phase in document.phases {
      let old = known[phase.name]
      if old?.state != phase.state || old?.sessions.live != phase.sessions.live || old?.end != phase.end {
        changed.append("\(phase.name.shown): \(Self.words(phase).joined(separator: ", "))")
      }
    }
    return changed
  }
}

extension StatusDocument.Request {
  fileprivate var words: String { why.isEmpty ? who.text.shown : "\(who.text.shown): \(why.shown)" }
}

extension String {
  /// As a terminal may be shown it: names come from outside.
  var shown: String { TerminalText.line(of: self, columns: 200) }
}
