import GracefulShutdown

/// What it means that a body came back, that a time was over, or that a phase was never ready.
extension PathModel {
  mutating func noteOutcome(_ id: Int, _ outcome: Machine.Outcome) {
    switch outcome.plain {
    case .returned, .forGood: break
    case .threw: failed.insert(id)
    case .threwCancellation: if !heard.contains(id) { failed.insert(id) }
    case .cutShort:
      cutItself.insert(id)
      if heard.contains(id) { noteCutShort(id) } else { failed.insert(id) }
    }
  }

  /// Of its own accord; when it is started again for that, it is forgiven (`.restart`).
  mutating func noteReturn(_ id: Int, _ policy: RestartPolicy) {
    if policy.condition == .always || policy.cleanReturn == .isFailure { return _ = failed.insert(id) }
    guard policy.cleanReturn == .endsPhase else { return }
    ready.insert(id)
    noteReady(id)
  }

  mutating func noteLate(_ id: Int) {
    if parents[id] == nil || stopped { late.insert(id) } else { lateBefore.insert(id) }
  }

  /// Its time is over, and it is cancelled.
  mutating func noteOver(_ id: Int) {
    if hurried.contains(id) { return }
    // Told to stop only in order to be started again, it is late in no stop.
    if parents[id] == nil, !stopped, !stoppedAlone.contains(id) { hurried.insert(id) } else { noteLate(id) }
  }

  /// It was told to stop, and had to end work: when it was only to be started again, that counts unless it is.
  mutating func noteCutShort(_ id: Int) {
    if parents[id] != nil || stopped || stoppedAlone.contains(id) { noteLate(id) } else { cutForAnother.insert(id) }
  }

  mutating func noteReady(_ id: Int) {
    everReady.insert(id)
    begunAt[id] = nil
  }

  /// It returns before it was ready, and the whole stops: what requires it could never begin, and that is no clean end.
  mutating func noteReturnTooSoon(_ id: Int, leaving requires: [[Int]], _ policy: RestartPolicy?) {
    guard !stopped, !heard.contains(id), !everReady.contains(id), parents[id] == nil else { return }
    if let policy, policy.condition == .always || policy.cleanReturn != .stopsLifecycle { return }
    let left = requires.indices.filter { requires[$0].contains(id) && !stoppedAlone.contains($0) }
    if !left.isEmpty { failed.insert(id) }
  }

  /// The whole stops: what runs, and has not been ready in time, has failed.
  mutating func noteOverdue(at time: Instant) {
    for (id, begun) in begunAt where isLive(id) && !heard.contains(id) {
      if cameBack.contains(id), !backingOff.contains(id) { continue }
      if time - begun >= max(.seconds(10), startLimits[id] ?? .zero) { failed.insert(id) }
    }
  }

  /// Time alone has begun a stop: this one had not come so far that it could be told to drain, and was not ready in time.
  mutating func noteSlowStart(_ id: Int) {
    if isLive(id), !ready.contains(id), !drained.contains(id), !cameBack.contains(id) { failed.insert(id) }
  }
}
