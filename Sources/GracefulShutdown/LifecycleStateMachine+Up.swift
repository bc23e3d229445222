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
    for id in phases.indices where phases[id].requirementsLeft == 0 { begin(id, at: now) }
  }

  private mutating func begin(_ id: Int, at now: Instant) {
    phases[id].state = .starting
    phases[id].startedAt = now
    live += 1
    for requirement in graph.nodes[id].requires { phases[requirement].dependentsLive += 1 }
    actions.append(.start(id))
  }

  mutating func becomeReady(_ id: Int, at now: Instant) {
    guard phases.indices.contains(id) else { return ignore("\(nameOf(id)) is unknown") }
    switch phases[id].state {
    case .starting:
      phases[id].state = .ready
      phases[id].readyAt = now
      // A phase that has not been ready has no dependents, so a stop gives it its turn at once: it is not seen here
      // while stopping. Should that change, still nothing may begin after a stop.
      guard case .running = state else { return }
      for dependent in graph.nodes[id].requiredBy {
        phases[dependent].requirementsLeft -= 1
        // A phase that it requires may have ended meanwhile; then a stop has begun, and the state is not running.
        if phases[dependent].requirementsLeft == 0 { begin(dependent, at: now) }
      }
    // Its start took so long that its turn to stop came first. Worth a line in the report, nothing more.
    case .draining, .cancelled:
      if phases[id].readyAt == nil { phases[id].readyAt = now } else { ignore("\(nameOf(id)) became ready twice") }
    case .waiting: ignore("\(nameOf(id)) became ready before it started")
    case .ready: ignore("\(nameOf(id)) became ready twice")
    case .ended: ignore("\(nameOf(id)) became ready after its end")
    }
  }

  mutating func endBeforeStop(_ id: Int, _ outcome: Outcome, at now: Instant) {
    guard phases.indices.contains(id) else { return ignore("\(nameOf(id)) is unknown") }
    switch phases[id].state {
    case .starting, .ready:
      switch outcome {
      case .returned:
        close(id, as: .endedByItself, at: now)
        beginStop(StopRequest(who: .phaseEnded(nameOf(id))), at: now)
      case .threwCancellation:
        // Nobody had asked it to stop: whatever was cancelled, it was not by us.
        close(id, as: .failed("CancellationError, before any stop was asked for"), at: now)
        beginStop(StopRequest(who: .phaseFailed(nameOf(id)), why: "CancellationError"), at: now)
      case .threw(let error), .cutShort(let error):
        close(id, as: .failed(error), at: now)
        beginStop(StopRequest(who: .phaseFailed(nameOf(id)), why: error), at: now)
      }
    case .waiting: ignore("\(nameOf(id)) ended before it started")
    // No stop has begun, so nobody can have been told to.
    case .draining, .cancelled: ignore("\(nameOf(id)) drained without a stop")
    case .ended: ignore("\(nameOf(id)) ended twice")
    }
  }
}
