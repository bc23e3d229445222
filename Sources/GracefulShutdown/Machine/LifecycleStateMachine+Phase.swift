/// One phase from its turn to its end: drain, then cancel, then abandon (S5).
///
/// It ends in two halves, in any order: its gate, and its body.
extension LifecycleStateMachine {
  /// The phase and its descendants at once: none of them has to wait to be told.
  mutating func drain(_ id: Int, at now: Instant) {
    drainAlone(id, at: now)
    // The parent before its children: their deadline is clipped to its.
    for child in below(id) where self[child].awaitsDrain { drainAlone(child, at: now) }
  }

  private mutating func drainAlone(_ id: Int, at now: Instant) {
    beginHolder(of: id, at: now)
    // A child that ended by itself while the program runs has no deadline: its caller waits for what is inside.
    var until = timetable(of: id)?.drainUntil(limit: limitOf(id), from: now) ?? now + (limitOf(id) ?? .longest)
    if let parent = children.parent(of: id), let due = self[parent].due { until = min(until, due) }
    // A start that hangs has no longer than its start limit.
    if case .starting(.running, let startUntil?) = self[id].state {
      if self[id].startFailure != nil || startUntil > now { until = min(until, max(startUntil, now)) }
    }
    guard let ending = self[id].state.ending(until: until) else { return }
    holdWhileRecycled(id)
    self[id].drainAt = now
    self[id].state = .draining(ending)
    tell(id, .drain(deadline: until))
    remember(id)
    beginNested(id, at: now)
  }

  mutating func becomeEmpty(_ id: Int, at now: Instant) {
    self[id].state.changeEnding { $0.isEmpty = true }
    switch self[id].state {
    case .draining(let ending):
      if ending.isBodyRunning { giveTurn(id, until: ending.until, at: now) } else { endIfDone(id, at: now) }
    case .cutting(let ending):
      if ending.isBodyRunning { cancel(id, at: now) } else { endIfDone(id, at: now) }
    case .cancelled: endIfDone(id, at: now)
    // It was abandoned; what was inside has ended since.
    case .ended: break
    case .waiting, .starting, .ready, .backingOff: ignore("\(nameOf(id)) is empty, and was not told to drain")
    }
  }

  mutating func giveTurn(_ id: Int, until: Instant, at now: Instant) {
    guard self[id].turnAt == nil else { return }
    self[id].turnAt = now
    tell(id, .turn(deadline: until))
  }

  /// A body came back: it is judged by what it had been told.
  mutating func comeBack(_ id: Int, _ outcome: Outcome, at now: Instant) {
    guard isKnown(id) else {
      // A child that was abandoned, and came back all the same.
      return id <= lastChild ? () : ignore("\(nameOf(id)) is unknown")
    }
    switch self[id].state {
    case .waiting: return ignore("\(nameOf(id)) ended before it started")
    case .ended(.abandoned): return ignore("\(nameOf(id)) ended after it was abandoned")
    case .ended: return ignore("\(nameOf(id)) ended twice")
    case .backingOff: return ignore("\(nameOf(id)) ended twice")
    case .starting, .ready, .draining, .cutting, .cancelled: break
    }
    guard self[id].verdict == nil else { return ignore("\(nameOf(id)) ended twice") }
    let told = self[id].hasHeard
    if !told, !outcome.isForGood, restartOrGiveUp(id, outcome, at: now) { return }
    let verdict = verdict(of: outcome, told: told)
    self[id].state.change(.back(verdict))
    if phases.indices.contains(id) { noteForLameDuck(verdict) }
    // Told to stop only in order to be started again, it is late in no stop.
    if told, !self[id].isRecycling, case .cutShort = outcome.plain { noteStraggler(id) }
    if children.contains(id) {
      // Only its caller needs to know; and what is inside must end, too.
      if self[id].awaitsDrain { drain(id, at: now) }
    } else if !told {
      let source: StopRequest.Source =
        verdict.isFailed ? .phaseFailed(nameOf(id)) : .phaseEnded(nameOf(id))
      if case .running = state { beginStop(StopRequest(source: source, why: why(outcome)), at: now) }
    }
    endIfDone(id, at: now)
  }

  /// It may end as soon as it hears, before its turn; to be cancelled is then one way of having been told.
  private func verdict(of outcome: Outcome, told: Bool) -> PhaseEnd {
    switch outcome.plain {
    case .returned: told ? .drained : .endedByItself
    case .threwCancellation: told ? .drained : .failed("CancellationError, before any stop was asked for")
    case .cutShort(let what): told ? .cancelled(error: what) : .failed(what)
    case .threw(let error): .failed(error)
    // There is none inside another.
    case .forGood: .drained
    }
  }

  private func why(_ outcome: Outcome) -> String {
    switch outcome.plain {
    case .returned, .forGood: ""
    case .threwCancellation: "CancellationError"
    case .threw(let error), .cutShort(let error): error
    }
  }

  mutating func endIfDone(_ id: Int, at now: Instant) {
    guard let end = self[id].end else { return }
    tell(id, .release(end))
    leave(id, as: end, at: now)
  }

  // MARK: When its time is over

  /// What is inside is cancelled first, and has a share of the time, so that the body can clean up after it.
  ///
  /// Half of it when only sessions or children are inside, and when these have children, too, an equal share for each
  /// level: halved again and again, nothing would be left for the innermost.
  mutating func cut(_ id: Int, levels: Int, at now: Instant) {
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

  mutating func abandon(_ id: Int, at now: Instant) {
    for other in descendants(of: id) + [id] where self[other].isLive {
      noteStraggler(other)
      tell(other, .abandon)
      leave(other, as: .abandoned, at: now)
    }
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
}
