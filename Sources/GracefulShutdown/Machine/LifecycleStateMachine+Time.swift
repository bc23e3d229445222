/// What is due: it is done however late that is noticed (S4), and the next wake-up is asked for.
extension LifecycleStateMachine {
  /// Does what is due, however late it is noticed, and asks for the next wake-up.
  mutating func settle(at now: Instant) {
    endLameDuckIfDue(at: now)
    if finishIfOver(at: now) { return }
    // To abandon one gives others their turn, which may be due as well.
    var levels: [Int: Int] = [:]
    while true {
      // The last that ran may just have been abandoned.
      endLameDuckIfDue(at: now)
      let due = inOrder(dueTimes.take(until: now).filter { self[$0].due.map { $0 <= now } ?? false })
      if due.isEmpty { break }
      // When a drain is over, the one above first: the time of those inside is a share of its.
      for id in due.reversed() where self[id].isDraining { expire(id, &levels, at: now) }
      for id in due { expire(id, &levels, at: now) }
    }
    if finishIfOver(at: now) { return }
    if let armed, armed <= now { self.armed = nil }
    let nextDue = [nextDue(), lameDuckNow?.until].compactMap { $0 }.min()
    if let nextDue, armed.map({ nextDue < $0 }) ?? true {
      armed = nextDue
      actions.append(.lifecycle(.wake(at: nextDue)))
    }
  }

  /// As they stop: one after those that require it, and after its children.
  private func inOrder(_ ids: [Int]) -> [Int] {
    if ids.count < 2 { return ids }
    let places = Set(ids).map { id in
      let child = children.origin(id)
      return (id: id, rank: graph.nodes[child?.root ?? id].rank, depth: child?.depth ?? 0)
    }
    return places.sorted { ($0.rank, -$0.depth, $0.id) < ($1.rank, -$1.depth, $1.id) }.map(\.id)
  }

  /// As far as it is due, and with it those inside that it takes along.
  ///
  /// - Parameter levels: What is known of how many phases deep it is inside of one.
  private mutating func expire(_ id: Int, _ levels: inout [Int: Int], at now: Instant) {
    var open = [id]
    while let next = open.last {
      guard let due = self[next].due, due <= now else {
        open.removeLast()
        continue
      }
      guard self[next].isDraining else {
        takeStep(next, levels: 0, at: now)
        continue
      }
      if levels[next] == nil { count(&levels, inside: next) }
      takeStep(next, levels: levels[next] ?? 0, at: now)
      open += self[next].children.sorted()
    }
  }

  /// How many phases deep it is inside this one, and inside each of those.
  private func count(_ levels: inout [Int: Int], inside id: Int) {
    // Each after its own children.
    for other in descendants(of: id) + [id] {
      levels[other] = self[other].children.map { (levels[$0] ?? 0) + 1 }.max() ?? 0
    }
  }

  /// - Parameter levels: How many phases deep it is inside.
  private mutating func takeStep(_ id: Int, levels: Int, at now: Instant) {
    switch self[id].state {
    case .starting: failStart(id, at: now)
    case .backingOff: startAgain(id, at: now)
    case .draining:
      // The request for this phase's cancellation waits for it; it is not late.
      if !self[id].isHurried && !self[id].isRecycling { noteStraggler(id) }
      if self[id].isEmpty { cancel(id, at: now) } else { cut(id, levels: levels, at: now) }
    case .cutting:
      // Only what is inside was left to be cancelled, and it was.
      if self[id].hasBody { cancel(id, at: now) } else { abandon(id, at: now) }
    case .cancelled: abandon(id, at: now)
    case .waiting, .ready, .ended: break
    }
  }

  /// Whenever it becomes due at another instant than before.
  mutating func remember(_ id: Int) {
    guard let due = self[id].due else { return }
    // Taken out for the while, not copied: it asks the records what of it is still valid.
    var dueTimes = DueTimes()
    swap(&dueTimes, &self.dueTimes)
    dueTimes.add(id, at: due) { self[$0].due == $1 }
    swap(&dueTimes, &self.dueTimes)
  }

  mutating func nextDue() -> Instant? {
    var dueTimes = DueTimes()
    swap(&dueTimes, &self.dueTimes)
    defer { swap(&dueTimes, &self.dueTimes) }
    return dueTimes.next { self[$0].due == $1 }
  }
}
