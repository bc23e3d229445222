/// What is due, and the end.
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

  private mutating func finishIfOver(at now: Instant) -> Bool {
    switch state {
    case .idle, .finished: return true
    case .running:
      // There is no rest that could run on: all that began has ended, or has done its work, and nothing else will begin.
      guard live == done, !phases.isEmpty else { return false }
      if done > 0, phases.contains(where: { $0.isToBegin && !$0.hasHeard }) { return false }
      let why = done > 0 ? "every phase has done its work, or was stopped alone" : "every phase was stopped alone"
      let last = phases.indices.last { phases[$0].isDone || phases[$0].state == .ended(.endedByItself) }
      beginStop(StopRequest(source: last.map { .phaseEnded(nameOf($0)) } ?? .code, why: why), at: now)
      return finishIfOver(at: now)
    case .stopping(let stopping):
      guard live == 0 else { return false }
      finish(stopping.request, mistakes: [], at: now)
      return true
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

  /// What is inside is cancelled first, and has a share of the time, so that the body can clean up after it.
  ///
  /// Half of it when only sessions or children are inside, and when these have children, too, an equal share for each
  /// level: halved again and again, nothing would be left for the innermost.
  private mutating func cut(_ id: Int, levels: Int, at now: Instant) {
    let until = waitUntil(id, at: now)
    let inside = max(levels, 1)
    let share = self[id].hasBody && until > now ? now + (until - now) * inside / (inside + 1) : until
    guard let ending = self[id].state.ending(until: share) else { return }
    self[id].state = .cutting(ending)
    tell(id, .cut)
    remember(id)
    for child in self[id].children.sorted() { hasten(child, at: now) }
  }

  mutating func cancel(_ id: Int, at now: Instant) {
    let until = waitUntil(id, at: now)
    guard let ending = self[id].state.ending(until: until) else { return }
    self[id].state = .cancelled(ending)
    giveTurn(id, until: until, at: now)
    tell(id, .cancel(deadline: until))
    remember(id)
  }

  /// Until when a phase that is cancelled now is waited for: a child no longer than its parent.
  private func waitUntil(_ id: Int, at now: Instant) -> Instant {
    let depth = phases.indices.contains(id) ? graph.nodes[id].depth : 1
    let timetable = timetable(of: id) ?? StopTimetable(grace: grace, at: now)
    let until = timetable.waitUntil(depth: depth, from: now)
    guard let parent = children.parent(of: id), let due = self[parent].due else { return until }
    return min(until, due)
  }

  /// A child is named when it is late in a stop; before, its caller knows.
  mutating func noteStraggler(_ id: Int) {
    guard !self[id].isStraggler else { return }
    self[id].isStraggler = true
    if children.contains(id) {
      guard case .stopping = state, stragglers.count < phases.count + Self.mostChildReports else { return }
    }
    stragglers.append(nameOf(id))
  }

  mutating func finish(_ request: StopRequest?, mistakes: [ConfigurationMistake], at now: Instant) {
    let start = startedAt ?? now
    var stoppedAt = now
    var endedBySignal: Int32?
    if case .stopping(let stopping) = state {
      stoppedAt = stopping.timetable.requestedAt
      endedBySignal = stopping.endedBySignal
    }
    let own = phases.indices.map { id in
      var report = phases[id].report(id, name: nameOf(id), parent: nil, since: start)
      report.requires = graph.nodes[id].requires.map { graph.nodes[$0].name }
      return report
    }
    var report = LifecycleReport(
      lifecycle: name, request: request, mistakes: mistakes, phases: own + childReports,
      stragglers: stragglers.map { Straggler(phase: $0) }, ran: stoppedAt - start, took: now - stoppedAt,
      grace: grace, graceOrigin: graceOrigin, endedBySignal: endedBySignal, childrenOpened: childrenOpened,
      ignored: ignored)
    report.lameDuck = lameDuckReport
    state = .finished(report)
    actions.append(.lifecycle(.finish(report)))
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
