/// The wave up: what has everything that it requires, starts.
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
    let reason = "not ready within its start limit of \(limit.brief)"
    phases[id].startFailure = reason
    if restartSlowStart(id, at: now) { return }
    if case .running = state { beginStop(StopRequest(source: .phaseFailed(nameOf(id)), why: reason), at: now) }
  }
}
