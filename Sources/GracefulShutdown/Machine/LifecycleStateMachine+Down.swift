/// The wave down: a phase whose dependents have all ended drains (S2), and in time is cancelled, then abandoned (S5).
extension LifecycleStateMachine {
  mutating func beginStop(_ request: StopRequest, at now: Instant) {
    var stopping = Stopping(request: request, timetable: StopTimetable(grace: grace, at: now))
    stopping.lameDuck = lameDuckWatch(for: request, at: now)
    _ = repetition(of: request.source)
    state = .stopping(stopping)
    beginLameDuck()
    hearAll(stopping.timetable)
    for id in phases.indices { stopHolding(id) }
    for id in phases.indices { stopRecycling(id) }
    // A phase that stops alone already has no longer than the rest.
    for id in phases.indices + children.ids.sorted() { clip(id, stopping.timetable) }
    if request.urgency != .drain { hurry(stopping, request, to: request.urgency, at: now) }
    for id in graph.downwards { drainIfFree(id, at: now) }
  }

  /// A further request (S8).
  ///
  /// Only a repeated SIGINT or SIGTERM, or a repeated request of a source that says so, escalates by itself; the first of
  /// them after another trigger joins (a `preStop` hook and the kubelet's SIGTERM are two requests for one stop).
  mutating func join(_ stopping: Stopping, _ request: StopRequest, at now: Instant) {
    var urgency = request.urgency
    if let count = repetition(of: request.source) {
      if count == 2, urgency == .drain { urgency = .cancelNow }
      if count > 2 { urgency = .exitNow }
    }
    if urgency != .drain { return hurry(stopping, request, to: urgency, at: now) }
    // The successor serves already, and a session that still comes here comes late.
    if request.source.isSuccessor { drainAfterLameDuck(.takenOver, at: now) }
  }

  /// After the end there is nothing left to stop; but the process may hang in its exit (a log handler, an `atexit`
  /// handler), and there, too, the third signal is the last.
  mutating func insist(_ request: StopRequest, _ report: LifecycleReport) {
    ignore("a stop after the end")
    guard let count = repetition(of: request.source) else { return }
    if count > 2 { actions.append(.lifecycle(.leave(report))) }
  }

  /// Counts a request of a source that escalates: signals together, and each kind of a user's own by itself.
  /// - Returns: How many there have been with this one; `nil` when repeating it changes nothing.
  private mutating func repetition(of source: StopRequest.Source) -> Int? {
    guard source.escalatesWhenRepeated else { return nil }
    guard case .custom(let kind, _, _) = source.origin else {
      signals += 1
      return signals
    }
    repetitions[kind, default: 0] += 1
    return repetitions[kind]
  }

  private mutating func hurry(
    _ before: Stopping, _ request: StopRequest, to urgency: StopRequest.Urgency, at now: Instant
  ) {
    let wasLame = endLameDuck(.urgent, at: now)
    var stopping = before
    stopping.lameDuck = nil
    stopping.timetable.cancelNow(at: now)
    if urgency == .exitNow {
      stopping.isExiting = true
      stopping.endedBySignal = request.source.signal
    }
    state = .stopping(stopping)
    if urgency == .exitNow {
      for id in graph.downwards where phases[id].isLive { abandon(id, at: now) }
      return
    }
    for id in phases.indices + children.ids.sorted() {
      clip(id, stopping.timetable)
      hasten(id, at: now)
    }
    // The deadline that everybody was told has come nearer.
    for id in graph.downwards where phases[id].awaitsDrain {
      for other in descendants(of: id) + [id] where self[other].awaitsDrain {
        hear(other, until: stopping.timetable.cancelAt)
      }
    }
    // The phases whose turn it would have been, but for the lame duck.
    if wasLame { for id in graph.downwards { drainIfFree(id, at: now) } }
  }

  /// All phases hear at once, long before the turn of most (S3).
  private mutating func hearAll(_ timetable: StopTimetable) {
    for id in graph.downwards where phases[id].isLive {
      for other in descendants(of: id) + [id] where !self[other].hasHeard { hear(other, until: timetable.cancelAt) }
    }
  }

  mutating func hear(_ id: Int, until: Instant?) {
    if !self[id].hasHeard { self[id].stop = .heard }
    if let until { tell(id, .hear(deadline: until)) }
  }

  /// A phase that drains now drains no longer; `settle` sees that it is due.
  mutating func hasten(_ id: Int, at now: Instant) {
    guard self[id].isDraining else { return }
    self[id].state.changeEnding { $0.until = min($0.until, now) }
    remember(id)
  }

  /// No phase is waited for beyond the timetable.
  private mutating func clip(_ id: Int, _ timetable: StopTimetable) {
    let until: Instant
    switch self[id].state {
    case .draining: until = timetable.cancelAt
    case .cutting, .cancelled: until = timetable.abandonAt
    case .waiting, .starting, .ready, .backingOff, .ended: return
    }
    self[id].state.changeEnding { $0.until = min($0.until, until) }
    remember(id)
  }

  /// By when it must have stopped.
  ///
  /// `nil` when it was not asked to.
  func timetable(of id: Int) -> StopTimetable? {
    let own = self[id].stop.timetable
    guard case .stopping(let stopping) = state else { return own }
    return own.map { $0.clipped(to: stopping.timetable) } ?? stopping.timetable
  }

  mutating func drainIfFree(_ id: Int, at now: Instant) {
    guard phases[id].awaitsDrain, phases[id].dependentsLive == 0, timetable(of: id) != nil else { return }
    // A phase that stops alone does so while the rest is served.
    if phases[id].stop.timetable == nil, lameDuckNow != nil { return }
    drain(id, at: now)
  }

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

  private mutating func endIfDone(_ id: Int, at now: Instant) {
    guard let end = self[id].end else { return }
    tell(id, .release(end))
    leave(id, as: end, at: now)
  }

  mutating func abandon(_ id: Int, at now: Instant) {
    for other in descendants(of: id) + [id] where self[other].isLive {
      noteStraggler(other)
      tell(other, .abandon)
      leave(other, as: .abandoned, at: now)
    }
  }

  /// Its end is waited for no longer: what it requires comes one step nearer to its turn.
  private mutating func leave(_ id: Int, as end: PhaseEnd, at now: Instant) {
    let (verdict, wasDone) = (self[id].verdict, self[id].isDone)
    self[id].state = .ended(end)
    self[id].endedAt = now
    if let child = children.origin(id)?.child {
      record(child, end)
      return
    }
    live -= 1
    // Abandoned: it does not come back.
    if verdict == nil { noteForLameDuck(nil) }
    if wasDone { done -= 1 }
    let freed = release(id)
    beRecycled(id, end, verdict, at: now)
    for requirement in freed where phases[requirement].dependentsLive == 0 {
      // While everything is abandoned at once there are no turns any more.
      if case .stopping(let stopping) = state, stopping.isExiting { continue }
      if phases[requirement].isDue { startAgain(requirement, at: now) }
      drainIfFree(requirement, at: now)
    }
  }

  /// Those that it required need not wait for it any more; unless some that require it are there, which they wait for, too.
  ///
  /// Only a phase that was not ready in time when it was started again ends before those.
  private mutating func release(_ id: Int) -> [Int] {
    var (freed, open) = ([Int](), [id])
    while let next = open.popLast() {
      if phases[next].isNeeded { continue }
      for requirement in graph.nodes[next].requires {
        let wasNeeded = phases[requirement].isNeeded
        phases[requirement].dependentsLive -= 1
        if wasNeeded, !phases[requirement].isNeeded { open.append(requirement) }
        freed.append(requirement)
      }
    }
    return freed
  }

  /// A child that ended while the program ran leaves nothing behind, however it ended.
  ///
  /// There may be millions, and their callers know. What the report tells is the stop.
  private mutating func record(_ child: Child, _ end: PhaseEnd) {
    if case .stopping = state, childReports.count < Self.mostChildReports {
      childReports.append(
        self[child.id].report(child.id, name: nameOf(child.id), parent: nameOf(child.parent), since: startedAt ?? .now))
    }
    self[child.parent].children.remove(child.id)
    children.remove(child.id)
  }

  /// More of them would fill the memory and not be read.
  static var mostChildReports: Int { 256 }
}
