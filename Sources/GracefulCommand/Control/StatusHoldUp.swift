internal import Graceful

extension LifecycleSnapshot {
  /// The phases that have been told to end and have not: they hold up a stop.
  var holding: [PhaseSnapshot] {
    guard state == .stopping else { return [] }
    return phases.filter { $0.parent == nil && ($0.state == .draining || $0.state == .cancelled) }
  }

  /// What holds up the stop, in a few words.
  var holdUp: String {
    if holding.isEmpty {
      let left = phases.filter { $0.parent == nil && $0.state != .ended && $0.state != .waiting }
      return left.isEmpty ? "everything has ended, but not the process" : "nothing drains yet"
    }
    let some = holding.prefix(5).map(\.holdUp).joined(separator: "; ")
    return holding.count > 5 ? "\(some); and \(holding.count - 5) more" : some
  }
}

extension PhaseSnapshot {
  /// What is said of a phase that holds up a stop.
  var holdUp: String {
    var words = ["phase \(name.shown), \(state.description.shown)"]
    if sessionsLive > 0 { words.append(StatusTree.count(sessionsLive, "session")) }
    if children > 0 { words.append(StatusTree.count(children, "child phase")) }
    if let oldest = oldestSessions.first { words.append("\(oldest.name.shown) for \(StatusTree.time(oldest.age))") }
    if let left { words.append(left > .zero ? "\(StatusTree.time(left)) left" : "its time is over") }
    return words.joined(separator: ", ")
  }
}
