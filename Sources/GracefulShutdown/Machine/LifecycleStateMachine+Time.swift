/// What is due, and the end.
extension LifecycleStateMachine {
  /// Does what is due, however late it is noticed, and asks for the next wake-up.
  mutating func settle(at now: Instant) {
    if finishIfOver(at: now) { return }
    // To abandon one gives others their turn, which may be due as well.
    while let due = nextDue, due <= now {
      nextDue = nil
      for id in graph.downwards {
        for other in descendants(of: id) + [id] { expire(other, at: now) }
      }
    }
    if finishIfOver(at: now) { return }
    if let armed, armed <= now { self.armed = nil }
    if let nextDue, armed.map({ nextDue < $0 }) ?? true {
      armed = nextDue
      actions.append(.wake(at: nextDue))
    }
  }

  private mutating func finishIfOver(at now: Instant) -> Bool {
    switch state {
    case .idle, .finished: return true
    case .running:
      guard live == 0, !phases.isEmpty else { return false }
      // One after the other was stopped alone, and there is no rest that could run on.
      beginStop(StopRequest(who: .code, why: "every phase was stopped alone"), at: now)
      return finishIfOver(at: now)
    case .stopping(let stopping):
      guard live == 0 else { return false }
      finish(stopping.request, mistakes: [], at: now)
      return true
    }
  }

  private mutating func expire(_ id: Int, at now: Instant) {
    guard let due = self[id].due else { return }
    guard due <= now else { return remember(due) }
    switch self[id].state {
    case .starting: failStart(id, at: now)
    case .backingOff: startAgain(id, at: now)
    case .draining:
      // Who asked for this one's cancellation waits for it; it is not late.
      if !self[id].isHurried && !self[id].isRecycling { noteStraggler(id) }
      if self[id].isEmpty { cancel(id, at: now) } else { cut(id, at: now) }
    case .cutting:
      // Nobody is left to be cancelled but those inside, and they were.
      if self[id].verdict == nil { cancel(id, at: now) } else { abandon(id, at: now) }
    case .cancelled: abandon(id, at: now)
    case .waiting, .ready, .ended: break
    }
  }

  /// What is inside is cancelled first, and has half of the time, so that the body can clean up after it.
  private mutating func cut(_ id: Int, at now: Instant) {
    let until = waitUntil(id, at: now)
    let share = self[id].verdict == nil && until > now ? now + (until - now) / 2 : until
    self[id].state = .cutting(until: share)
    actions.append(.cut(id))
    remember(share)
    for child in self[id].children.sorted() { hasten(child, at: now) }
  }

  mutating func cancel(_ id: Int, at now: Instant) {
    let until = waitUntil(id, at: now)
    self[id].state = .cancelled(until: until)
    giveTurn(id, until: until, at: now)
    actions.append(.cancel(id, deadline: until))
    remember(until)
  }

  /// Until when one that is cancelled now is waited for: a child no longer than its parent.
  private func waitUntil(_ id: Int, at now: Instant) -> Instant {
    let depth = phases.indices.contains(id) ? graph.nodes[id].depth : 1
    let timetable = timetable(of: id) ?? StopTimetable(grace: grace, at: now)
    let until = timetable.waitUntil(depth: depth, from: now)
    guard let parent = children[id]?.child.parent, let due = self[parent].due else { return until }
    return min(until, due)
  }

  mutating func noteStraggler(_ id: Int) {
    guard !self[id].isStraggler else { return }
    self[id].isStraggler = true
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
    let report = LifecycleReport(
      lifecycle: name, request: request, mistakes: mistakes, phases: own + childReports,
      stragglers: stragglers.map { Straggler(phase: $0) }, ran: stoppedAt - start, took: now - stoppedAt,
      grace: grace, endedBySignal: endedBySignal, childrenOpened: childrenOpened, ignored: ignored)
    state = .finished(report)
    actions.append(.finish(report))
  }
}
