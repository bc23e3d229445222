/// A stop from the request to the report: of the whole (S3, S8), or of one phase while the rest runs (S12).
extension LifecycleStateMachine {
  mutating func beginStop(_ request: StopRequest, at now: Instant) {
    var stopping = Stopping(request: request, timetable: StopTimetable(grace: grace, at: now))
    stopping.lameDuck = lameDuckWatch(for: request, at: now)
    _ = repetition(of: request.source)
    for id in phases.indices { noteNeverReady(id, at: now) }
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

  /// Until when phases that hear together with this one may go on.
  func hearing(of id: Int) -> Instant? {
    if case .stopping(let stopping) = state { return stopping.timetable.cancelAt }
    var next: Int? = id
    while let id = next {
      if let timetable = self[id].stop.timetable { return timetable.cancelAt }
      next = children.parent(of: id)
    }
    return nil
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

  // MARK: One phase alone

  mutating func stopAlone(_ id: Int, _ urgency: StopRequest.Urgency, at now: Instant) {
    // It may have ended in the same moment.
    guard isKnown(id) else { return }
    if self[id].stop.timetable == nil || self[id].isRecycling, self[id].isLive || self[id].isToBegin {
      let timetable = StopTimetable(grace: grace, at: now)
      for other in stopped(with: id) {
        if state == .running, phases.indices.contains(other), phases[other].isAwaited {
          tell(other, .stoppedBeforeReady)
        }
        prepareToStop(other, timetable)
        stopHolding(other)
      }
      if children.contains(id) {
        if self[id].awaitsDrain { drain(id, at: now) }
      } else {
        for other in graph.downwards where phases[other].stop.timetable != nil { drainIfFree(other, at: now) }
      }
    }
    if urgency != .drain {
      for other in stopped(with: id) {
        // Those inside are, when it is: they were marked with it.
        if !self[other].isHurried { for inside in descendants(of: other) { self[inside].isHurried = true } }
        self[other].isHurried = true
        self[other].stop.changeTimetable { $0.cancelNow(at: now) }
        hasten(other, at: now)
      }
    }
  }

  mutating func prepareToStop(_ id: Int, _ timetable: StopTimetable) {
    stopRecycling(id)
    let hasHeard = self[id].hasHeard
    self[id].stop = .alone(timetable)
    // Not begun: then it never will.
    guard self[id].isLive else { return }
    if !hasHeard { hear(id, until: timetable.cancelAt) }
    for other in descendants(of: id) where !self[other].hasHeard { hear(other, until: timetable.cancelAt) }
  }

  // MARK: The end

  mutating func finishIfOver(at now: Instant) -> Bool {
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
}
