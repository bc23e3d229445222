/// Phases that come back without having been asked to, and are started again (S7).
extension LifecycleStateMachine {
  /// A body came back that had not been told to, or was not ready in time.
  ///
  /// - Returns: Whether this is dealt with: it restarts, has done its work, or its giving up stops the whole.
  mutating func restartOrGiveUp(_ id: Int, _ outcome: Outcome, at now: Instant) -> Bool {
    guard phases.indices.contains(id), case .running = state else { return false }
    let policy = graph.nodes[id].restart
    switch outcome {
    case .returned:
      if policy.condition == .always { return restart(id, "returned by itself", at: now) }
      if policy.cleanReturn == .stopsLifecycle { return false }
      if policy.cleanReturn == .endsPhase { return beDone(id, at: now) }
      if policy.condition == .onFailure { return restart(id, "returned by itself", at: now) }
      return fail(id, "returned by itself", at: now)
    case .forGood: return false
    case .threwCancellation:
      guard policy.condition != .never else { return false }
      return restart(id, "CancellationError, before any stop was asked for", at: now)
    case .threw(let error), .cutShort(let error):
      guard policy.condition != .never else { return false }
      return restart(id, error, at: now)
    }
  }

  /// It has done what it had to do, and the rest runs on.
  private mutating func beDone(_ id: Int, at now: Instant) -> Bool {
    if case .starting = phases[id].state { becomeReady(id, at: now) }
    phases[id].state.change(.done)
    done += 1
    tell(id, .done)
    return true
  }

  private mutating func fail(_ id: Int, _ reason: String, at now: Instant) -> Bool {
    phases[id].state.change(.back(.failed(reason)))
    beginStop(StopRequest(source: .phaseFailed(nameOf(id)), why: reason), at: now)
    return true
  }

  private mutating func restart(_ id: Int, _ reason: String, at now: Instant) -> Bool {
    guard let delay = nextDelay(id, reason, at: now) else { return fail(id, gaveUp(id, reason), at: now) }
    backOff(id, reason, delay, at: now)
    return true
  }

  private mutating func nextDelay(_ id: Int, _ reason: String, at now: Instant) -> Duration? {
    let chance = chance.next()
    return phases[id].history.fail(
      reason, graph.nodes[id].restart, chance: chance, since: startedAt ?? now, at: now)
  }

  private func gaveUp(_ id: Int, _ reason: String) -> String {
    let policy = graph.nodes[id].restart
    let times = policy.intensity == 1 ? "1 restart" : "\(max(policy.intensity, 0)) restarts"
    return "gave up after \(times) in \(policy.window.brief): \(reason)"
  }

  private mutating func backOff(_ id: Int, _ reason: String, _ delay: Duration, at now: Instant) {
    let policy = graph.nodes[id].restart
    takeBackReadiness(id)
    phases[id].state = .backingOff(until: now + delay)
    remember(id)
    tell(id, .restart(reason: reason, after: delay))
    shut(id)
    if policy.dependents == .restart {
      recycle(stopped(with: id).filter { $0 != id }, at: now)
    } else {
      for dependent in graph.nodes[id].requiredBy where phases[dependent].isLive && !phases[dependent].isWaiting {
        phases[dependent].isWaiting = true
        tell(dependent, .waiting(true))
      }
    }
  }

  /// It drains, and is started again: its gate refuses sessions, unless these are to wait.
  mutating func holdWhileRecycled(_ id: Int) {
    guard self[id].isRecycling, graph.nodes[id].restart.sessions == .wait, !phases[id].isShut else { return }
    shut(id)
  }

  private mutating func shut(_ id: Int) {
    phases[id].isShut = true
    tell(id, graph.nodes[id].restart.sessions == .wait ? .hold : .refuse)
  }

  /// A stop has begun: it is not started again, and whether it was late for that is no matter now.
  mutating func stopRecycling(_ id: Int) {
    guard self[id].isRecycling else { return }
    self[id].stop = self[id].stop.timetable.map { .alone($0) } ?? .heard
    switch self[id].state {
    case .cutting, .cancelled: self[id].isHurried = true
    case .waiting, .starting, .ready, .backingOff, .draining, .ended: break
    }
  }

  /// A stop has begun: sessions that wait for its restart wait in vain.
  mutating func stopHolding(_ id: Int) {
    guard phases.indices.contains(id), phases[id].isShut, graph.nodes[id].restart.sessions == .wait else { return }
    phases[id].isShut = false
    tell(id, .refuse)
  }

  /// What has not begun yet must wait for it once more.
  private mutating func takeBackReadiness(_ id: Int) {
    guard case .ready = phases[id].state else { return }
    for dependent in graph.nodes[id].requiredBy where phases[dependent].isToBegin {
      phases[dependent].requirementsLeft += 1
    }
  }

  /// Those that are started again after the phase that they require: they stop in order, and wait.
  private mutating func recycle(_ ids: [Int], at now: Instant) {
    let timetable = StopTimetable(grace: grace, at: now)
    for id in ids where phases[id].isLive && phases[id].stop.timetable == nil {
      takeBackReadiness(id)
      prepareToStop(id, timetable)
      phases[id].stop = .toStartAgain(timetable)
    }
    for id in ids { drainIfFree(id, at: now) }
  }

  /// The delay is over.
  mutating func startAgain(_ id: Int, at now: Instant) {
    // A stop came meanwhile.
    guard case .backingOff = phases[id].state, !phases[id].hasHeard else { return }
    // The phases that are started again after it may not have ended yet, and what it requires may restart as well.
    guard phases[id].dependentsLive == 0 || graph.nodes[id].restart.dependents == .wait, hasAllThatItRequires(id) else {
      return phases[id].state = .backingOff(until: nil)
    }
    phases[id].history.begin(isPrompt: !phases[id].isDue, since: startedAt ?? now, at: now)
    phases[id].state = .starting(.running, until: graph.nodes[id].startLimit.map { now + $0 })
    remember(id)
    tell(id, .start)
  }

  private func hasAllThatItRequires(_ id: Int) -> Bool {
    graph.nodes[id].requires.allSatisfy { phases[$0].isReady }
  }

  /// It is ready again: those that wait for it go on.
  mutating func goOn(_ id: Int, at now: Instant) {
    if phases[id].isShut {
      phases[id].isShut = false
      tell(id, .admit)
    }
    for dependent in graph.nodes[id].requiredBy where phases[dependent].isDue { startAgain(dependent, at: now) }
    for dependent in graph.nodes[id].requiredBy where phases[dependent].isWaiting && !phases[dependent].hasHeard {
      guard hasAllThatItRequires(dependent) else { continue }
      phases[dependent].isWaiting = false
      tell(dependent, .waiting(false))
    }
  }

  /// A phase that stopped in order to be started again has ended.
  ///
  /// A phase that was given up cannot be, for it may still run: then the whole stops.
  ///
  /// - Parameter verdict: How its body came back.
  mutating func beRecycled(_ id: Int, _ end: PhaseEnd, _ verdict: PhaseEnd?, at now: Instant) {
    guard phases[id].isRecycling, case .running = state else { return }
    guard end != .abandoned else {
      let why = "it was to be started again, and had not ended in time"
      return beginStop(StopRequest(source: .phaseFailed(nameOf(id)), why: why), at: now)
    }
    // Not ready in time, it is started again for that; else after the phase that it requires.
    let failure = phases[id].startFailure.map { failure in
      verdict?.error.map { "\(failure); while it stopped for that: \($0)" } ?? failure
    }
    let delay = failure.flatMap { nextDelay(id, $0, at: now) }
    if let failure, delay == nil {
      phases[id].state = .ended(.failed(gaveUp(id, failure)))
      return beginStop(StopRequest(source: .phaseFailed(nameOf(id)), why: gaveUp(id, failure)), at: now)
    }
    let isNeeded = phases[id].isNeeded
    // When it never runs again, that is how it ended.
    phases[id].recycle(
      requirements: graph.nodes[id].requires.count { !phases[$0].isReady }, after: end.isFailed ? end : .drained)
    if failure == nil, let error = end.error {
      phases[id].history.failWhileStopping(error, since: startedAt ?? now, at: now)
    }
    tell(id, .renew)
    if let failure, let delay {
      live += 1
      if !isNeeded { for requirement in graph.nodes[id].requires { phases[requirement].dependentsLive += 1 } }
      backOff(id, failure, delay, at: now)
    }
  }

  /// A start that took too long, in a phase that is started again when it fails: it is stopped first.
  mutating func restartSlowStart(_ id: Int, at now: Instant) -> Bool {
    guard graph.nodes[id].restart.condition != .never, case .running = state else { return false }
    recycle([id], at: now)
    // Those that require it, since an earlier run of it was ready, wait for it; it does not wait for them.
    if phases[id].awaitsDrain { drain(id, at: now) }
    return true
  }
}
