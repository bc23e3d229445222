internal import Foundation
internal import Graceful
internal import GracefulShutdown

/// A snapshot as lines for people.
struct StatusTree {
  var snapshot: LifecycleSnapshot
  /// The process that answered: `process 123, generation 2`.
  var source: String

  /// The whole, as it is now.
  var lines: [String] { [headline] + rows }

  private var headline: String {
    let name = snapshot.lifecycle.shown
    var words: [String]
    switch snapshot.state {
    case .stopping:
      words = ["\(name): stopping"]
      if let left = snapshot.left {
        let grace = Self.time(snapshot.grace)
        words.append(left > .zero ? "\(Self.time(left)) of \(grace) left" : "its \(grace) are over")
      }
      if let request = snapshot.request { words.append("asked by \(request.words)") }
    case .finished:
      words = ["\(name): finished"]
      if let request = snapshot.request { words.append("asked by \(request.words)") }
    default:
      words = ["\(name): \(snapshot.state.description.shown)"]
      if let running = snapshot.running { words.append("for \(Self.time(running))") }
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
  private var ordered: [(phase: PhaseSnapshot, depth: Int)] {
    var children: [String: [PhaseSnapshot]] = [:]
    let known = Set(snapshot.phases.map(\.name))
    var roots: [PhaseSnapshot] = []
    for phase in snapshot.phases {
      if let parent = phase.parent, known.contains(parent), parent != phase.name {
        children[parent, default: []].append(phase)
      } else {
        roots.append(phase)
      }
    }
    var ordered: [(PhaseSnapshot, Int)] = []
    var waiting: [(PhaseSnapshot, Int)] = roots.reversed().map { ($0, 0) }
    while let (phase, depth) = waiting.popLast() {
      ordered.append((phase, depth))
      // Taken out: two of one name would otherwise show their children twice.
      for child in (children.removeValue(forKey: phase.name) ?? []).reversed() { waiting.append((child, depth + 1)) }
    }
    return ordered
  }

  private static func ownName(_ phase: PhaseSnapshot) -> String {
    guard let parent = phase.parent, phase.name.hasPrefix(parent + "/") else { return phase.name }
    return String(phase.name.dropFirst(parent.count + 1))
  }

  /// What is said of a phase: that it is draining, how much of its time is left, its sessions.
  static func words(_ phase: PhaseSnapshot) -> [String] {
    var words = [
      phase.end.map { $0.isFailed ? "failed" : "ended: \($0.word.rawValue)" } ?? phase.state.description.shown
    ]
    if phase.isWaiting { words.append("waits for what restarts") }
    if phase.end == nil, let left = phase.left {
      words.append(left > .zero ? "\(time(left)) left" : "its time is over")
    }
    if phase.sessionsLive > 0 { words.append(count(phase.sessionsLive, "session")) }
    if phase.children > 0 { words.append(count(phase.children, "child phase")) }
    if phase.restarts > 0 { words.append("restarted \(count(phase.restarts, "time"))") }
    if let oldest = phase.oldestSessions.first { words.append("\(oldest.name.shown) for \(time(oldest.age))") }
    return words
  }

  static func count(_ number: Int, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }

  static func time(_ duration: Duration) -> String {
    let seconds = duration / .seconds(1)
    guard abs(seconds) < 1e9 else { return "a long time" }
    if abs(seconds) < 100 { return String(format: "%.1f s", seconds) }
    let whole = Int(seconds.rounded())
    return whole < 6000 ? "\(whole / 60) min \(whole % 60) s" : "\(whole / 3600) h \(whole / 60 % 60) min"
  }

  /// What has changed since then, a line for each phase; nothing when nothing that is said has.
  func changes(since before: LifecycleSnapshot?) -> [String] {
    guard let before else { return lines }
    var changed: [String] = []
    if before.state != snapshot.state { changed.append(headline) }
    let known = Dictionary(before.phases.map { ($0.name, $0) }) { first, _ in first }
    for phase in snapshot.phases {
      let old = known[phase.name]
      if old?.state != phase.state || old?.sessionsLive != phase.sessionsLive || old?.end != phase.end {
        changed.append("\(phase.name.shown): \(Self.words(phase).joined(separator: ", "))")
      }
    }
    return changed
  }
}

extension StopRequest {
  fileprivate var words: String { description.shown }
}

extension String {
  /// As a terminal may be shown it: names come from outside.
  var shown: String { TerminalText.line(of: self, columns: 200) }
}
