/// The graph on the way up and down: a phase starts when all that it requires is ready (S1), and drains when all that
/// require it have ended (S2).
extension LifecycleStateMachine {
  mutating func run(_ requests: [StopRequest], at now: Instant) {
    startedAt = now
    var mistakes = graph.mistakes
    if grace <= .zero { mistakes.append(ConfigurationMistake(kind: .graceNotPositive(grace))) }
    guard mistakes.isEmpty else { return finish(requests.first, mistakes: mistakes, at: now) }
    if let first = requests.first {
      // Asked to stop before it began (S10): nothing begins. The rest is counted as if it came now.
      beginStop(first, at: now)
      for request in requests.dropFirst() {
        if case .stopping(let stopping) = state { join(stopping, request, at: now) }
      }
      return
    }
    state = .running
    for id in phases.indices where phases[id].hasHeard { tell(id, .stoppedBeforeReady) }
    for id in phases.indices where phases[id].requirementsLeft == 0 { begin(id, at: now) }
  }

  private mutating func begin(_ id: Int, at now: Instant) {
    // It was stopped alone, or what it requires was, before it had begun.
    guard !phases[id].hasHeard else { return }
    phases[id].state = .starting(.running, until: graph.nodes[id].startLimit.map { now + $0 })
    if phases[id].startedAt == nil { phases[id].startedAt = now }
    phases[id].history.begin(since: startedAt ?? now, at: now)
    remember(id)
    live += 1
    for requirement in graph.nodes[id].requires { phases[requirement].dependentsLive += 1 }
    tell(id, .start)
  }

  mutating func becomeReady(_ id: Int, at now: Instant) {
    guard phases.indices.contains(id) else { return ignore("\(nameOf(id)) has no start to be ready after") }
    switch phases[id].state {
    case .starting(.running, _):
      phases[id].state = .ready(.running)
      if phases[id].readyAt == nil { phases[id].readyAt = now }
      tell(id, .ready)
      // A phase that has not been ready has no dependents, so a stop gives it its turn at once: it is not seen here
      // while stopping. Should that change, still nothing may begin after a stop.
      // A phase that stops in order to be started again, and waits for others to end first, is not there for long enough.
      guard case .running = state, !phases[id].isRecycling else { return }
      goOn(id, at: now)
      for dependent in graph.nodes[id].requiredBy where phases[dependent].isToBegin {
        phases[dependent].requirementsLeft -= 1
        // A phase that it requires may have ended meanwhile; then a stop has begun, and the state is not running.
        if phases[dependent].requirementsLeft == 0 { begin(dependent, at: now) }
      }
    // Its start took so long that it was told to stop first. Worth a line in the report, nothing more.
    case .draining(let ending), .cutting(let ending), .cancelled(let ending):
      if ending.hasSaidReady { return ignore("\(nameOf(id)) became ready twice") }
      phases[id].state.changeEnding { $0.hasSaidReady = true }
      if phases[id].readyAt == nil { phases[id].readyAt = now }
      tell(id, .ready)
    case .waiting: ignore("\(nameOf(id)) became ready before it started")
    case .ready: ignore("\(nameOf(id)) became ready twice")
    case .backingOff: ignore("\(nameOf(id)) became ready when it had come back")
    case .starting, .ended: ignore("\(nameOf(id)) became ready after its end")
    }
  }

  /// It is not ready, and its start limit is over: the start has failed, and is unwound like any other (S2).
  mutating func failStart(_ id: Int, at now: Instant) {
    guard !phases[id].hasHeard else { return }
    let limit = graph.nodes[id].startLimit ?? .zero
    let reason = "\(PhaseReport.slowStart) \(limit.brief)"
    phases[id].startFailure = reason
    if restartSlowStart(id, at: now) { return }
    if case .running = state { beginStop(StopRequest(source: .phaseFailed(nameOf(id)), why: reason), at: now) }
  }

  /// A stop begins, and it has never been ready: that is no clean end, unless the stop came during its start (S10, S17).
  ///
  /// It was overdue; or it came back before it was ready, and what requires it could never begin.
  mutating func noteNeverReady(_ id: Int, at now: Instant) {
    guard phases[id].startFailure == nil, phases[id].readyAt == nil else { return }
    if phases[id].isOverdue(startLimit: graph.nodes[id].startLimit, at: now) {
      let waited = phases[id].startedAt.map { now - $0 } ?? .zero
      phases[id].neverReady = "not ready in the \(waited.brief) until the stop"
    } else if phases[id].verdict == .endedByItself,
      let dependent = graph.nodes[id].requiredBy.first(where: { phases[$0].isToBegin && !phases[$0].hasHeard })
    {
      phases[id].neverReady = "it returned before it was ready, and \(nameOf(dependent)) could never start"
    }
  }

  // MARK: Down

  mutating func drainIfFree(_ id: Int, at now: Instant) {
    guard phases[id].awaitsDrain, phases[id].dependentsLive == 0, timetable(of: id) != nil else { return }
    // A phase that stops alone does so while the rest is served.
    if phases[id].stop.timetable == nil, lameDuckNow != nil { return }
    drain(id, at: now)
  }

  /// Its end is waited for no longer: what it requires comes one step nearer to its turn.
  mutating func leave(_ id: Int, as end: PhaseEnd, at now: Instant) {
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

  /// It, the lifecycle that it holds, and all that require any of them, however far: the furthest first.
  func stopped(with id: Int) -> [Int] {
    guard phases.indices.contains(id) else { return [id] }
    var found = Set(graph.nodes[id].members + [id])
    // Upwards: a dependent of a phase that was found was not seen yet.
    for other in graph.downwards.reversed() where graph.nodes[other].requires.contains(where: found.contains) {
      found.insert(other)
    }
    return graph.downwards.filter(found.contains)
  }

  // MARK: Lifecycles inside of a phase

  /// From here on the lifecycle that it holds stops, within a time of its own, and never beyond that of the whole.
  mutating func beginNested(_ id: Int, at now: Instant) {
    guard phases.indices.contains(id), let grace = graph.nodes[id].nestedGrace else { return }
    // Started again with what it requires, it stops nothing of it.
    guard !phases[id].isRecycling else { return }
    let timetable = StopTimetable(grace: grace, at: now)
    for member in graph.nodes[id].members {
      if phases[member].stop.timetable != nil {
        phases[member].stop.changeTimetable { $0 = timetable.clipped(to: $0) }
      } else if state != .running {
        phases[member].stop = .alone(timetable)
      }
      // Otherwise another phase of that lifecycle stops alone, and this one runs on.
    }
  }

  /// The phase that holds this one may wait for a restart of another one, and then has no stop of its own.
  mutating func beginHolder(of id: Int, at now: Instant) {
    guard phases.indices.contains(id), phases[id].stop.timetable == nil, let holder = graph.nodes[id].within else {
      return
    }
    if !phases[holder].isLive { beginNested(holder, at: now) }
  }
}
