/// The wave down: what has nobody left that requires it, stops (S2), and in time is cancelled, then abandoned (S5).
extension LifecycleStateMachine {
  mutating func beginStop(_ request: StopRequest, at now: Instant) {
    var stopping = Stopping(request: request, timetable: StopTimetable(grace: grace, at: now))
    if request.who.escalatesWhenRepeated { stopping.signals = 1 }
    state = .stopping(stopping)
    hearAll(stopping.timetable)
    if request.urgency != .drain { hurry(stopping, request, to: request.urgency, at: now) }
    for id in graph.downwards where phases[id].awaitsTurn && phases[id].dependentsLive == 0 { giveTurn(id, at: now) }
  }

  /// A further request (S8).
  ///
  /// Only a repeated SIGINT or SIGTERM escalates by itself; the first of them after another trigger joins (a `preStop`
  /// hook and the kubelet's SIGTERM are two requests for one stop).
  mutating func join(_ before: Stopping, _ request: StopRequest, at now: Instant) {
    var stopping = before
    var urgency = request.urgency
    if request.who.escalatesWhenRepeated {
      stopping.signals += 1
      if stopping.signals == 2, urgency == .drain { urgency = .cancelNow }
      if stopping.signals > 2 { urgency = .exitNow }
    }
    state = .stopping(stopping)
    if urgency != .drain { hurry(stopping, request, to: urgency, at: now) }
  }

  private mutating func hurry(
    _ before: Stopping, _ request: StopRequest, to urgency: StopRequest.Urgency, at now: Instant
  ) {
    var stopping = before
    stopping.timetable.cancelNow(at: now)
    if urgency == .exitNow {
      stopping.isExiting = true
      stopping.endedBySignal = request.who.signal
    }
    state = .stopping(stopping)
    if urgency == .exitNow {
      for id in graph.downwards where phases[id].isLive { abandon(id, at: now) }
      return
    }
    hearAll(stopping.timetable)
    // Who drains now, drains no longer; `settle` sees that they are due.
    for id in phases.indices {
      guard case .draining(let until) = phases[id].state else { continue }
      phases[id].state = .draining(until: min(until, now))
      nextDue = now
    }
  }

  /// Everybody hears at once, whoever's turn it is (S3).
  private mutating func hearAll(_ timetable: StopTimetable) {
    for id in graph.downwards where phases[id].awaitsTurn {
      actions.append(.hear(id, deadline: timetable.cancelAt))
    }
  }

  private mutating func giveTurn(_ id: Int, at now: Instant) {
    guard case .stopping(let stopping) = state else { return }
    let until = stopping.timetable.drainUntil(limit: graph.nodes[id].limit, from: now)
    phases[id].turnAt = now
    phases[id].state = .draining(until: until)
    actions.append(.turn(id, deadline: until))
    remember(until)
  }

  mutating func endWhileStopping(_ id: Int, _ outcome: Outcome, at now: Instant) {
    guard phases.indices.contains(id) else { return ignore("\(nameOf(id)) is unknown") }
    switch phases[id].state {
    // It may end as soon as it hears, before its turn. To be cancelled is then one way of having been told.
    case .starting, .ready, .draining:
      switch outcome {
      case .returned, .threwCancellation: close(id, as: .drained, at: now)
      case .cutShort(let what):
        stragglers.append(id)
        close(id, as: .cancelled(error: what), at: now)
      case .threw(let error): close(id, as: .failed(error), at: now)
      }
    case .cancelled:
      switch outcome {
      case .returned, .threwCancellation: close(id, as: .cancelled, at: now)
      case .threw(let error), .cutShort(let error): close(id, as: .cancelled(error: error), at: now)
      }
    case .waiting: ignore("\(nameOf(id)) ended before it started")
    case .ended(.abandoned): ignore("\(nameOf(id)) ended after it was abandoned")
    case .ended: ignore("\(nameOf(id)) ended twice")
    }
  }

  mutating func close(_ id: Int, as end: PhaseEnd, at now: Instant) {
    actions.append(.release(id, end))
    leave(id, as: end, at: now)
  }

  private mutating func abandon(_ id: Int, at now: Instant) {
    // Unless it was cancelled before: then it is among them.
    if case .cancelled = phases[id].state {} else { stragglers.append(id) }
    actions.append(.abandon(id))
    leave(id, as: .abandoned, at: now)
  }

  /// Nobody waits for it any more: what it requires comes one step nearer to its turn.
  private mutating func leave(_ id: Int, as end: PhaseEnd, at now: Instant) {
    phases[id].state = .ended(end)
    phases[id].endedAt = now
    live -= 1
    for requirement in graph.nodes[id].requires {
      phases[requirement].dependentsLive -= 1
      guard phases[requirement].dependentsLive == 0, phases[requirement].awaitsTurn else { continue }
      // While everything is abandoned at once there are no turns any more.
      if case .stopping(let stopping) = state, !stopping.isExiting { giveTurn(requirement, at: now) }
    }
  }

  private mutating func remember(_ due: Instant) {
    if nextDue.map({ due < $0 }) ?? true { nextDue = due }
  }

  /// Does what is due, however late it is noticed, and asks for the next wake-up.
  mutating func settle(at now: Instant) {
    guard case .stopping(let stopping) = state else { return }
    if live == 0 { return finish(stopping.request, mistakes: [], at: now) }
    // To abandon one gives others their turn, which may be due as well.
    while let due = nextDue, due <= now {
      nextDue = nil
      for id in graph.downwards { expire(id, stopping.timetable, at: now) }
    }
    if live == 0 { return finish(stopping.request, mistakes: [], at: now) }
    if let armed, armed <= now { self.armed = nil }
    if let nextDue, armed.map({ nextDue < $0 }) ?? true {
      armed = nextDue
      actions.append(.wake(at: nextDue))
    }
  }

  private mutating func expire(_ id: Int, _ timetable: StopTimetable, at now: Instant) {
    guard let due = phases[id].due else { return }
    guard due <= now else { return remember(due) }
    switch phases[id].state {
    case .draining:
      let until = timetable.waitUntil(depth: graph.nodes[id].depth, from: now)
      phases[id].state = .cancelled(until: until)
      stragglers.append(id)
      actions.append(.cancel(id, deadline: until))
      remember(until)
    case .cancelled: abandon(id, at: now)
    case .waiting, .starting, .ready, .ended: break
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
    let report = LifecycleReport(
      lifecycle: name, request: request, mistakes: mistakes,
      phases: phases.indices.map { phases[$0].report(name: nameOf($0), since: start) },
      stragglers: stragglers.map(nameOf), ran: stoppedAt - start, took: now - stoppedAt, grace: grace,
      endedBySignal: endedBySignal, ignored: ignored)
    state = .finished(report)
    actions.append(.finish(report))
  }
}
