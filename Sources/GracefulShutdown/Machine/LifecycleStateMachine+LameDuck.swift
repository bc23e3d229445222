/// The lame-duck time (T5): every phase has heard, none is told to drain yet.
extension LifecycleStateMachine {
  /// What a stop begins with.
  ///
  /// `nil` when the source of the request gets none: see ``LameDuck``.
  func lameDuckWatch(for request: StopRequest, at now: Instant) -> LameDuckWatch? {
    guard let lameDuck, request.urgency == .drain, request.source.leavesAllServing else { return nil }
    let bodies = phases.count(where: \.hasBody)
    // What was not ready was sent nothing: no load balancer must hear that it is not.
    guard bodies > 0, !phases.contains(where: \.isAwaited) else { return nil }
    return LameDuckWatch(lameDuck, bodies: bodies, at: now)
  }

  /// The lame-duck time that is running.
  var lameDuckNow: LameDuckWatch? {
    guard case .stopping(let stopping) = state else { return nil }
    return stopping.lameDuck
  }

  mutating func changeLameDuck(_ change: (inout LameDuckWatch) -> Void) {
    guard case .stopping(var stopping) = state, var watch = stopping.lameDuck else { return }
    change(&watch)
    stopping.lameDuck = watch
    state = .stopping(stopping)
  }

  /// The first thing of a stop.
  mutating func beginLameDuck() {
    guard let watch = lameDuckNow else { return }
    actions.append(.lifecycle(.lameDuck(until: watch.until)))
    if let look = watch.firstLook { actions.append(.lifecycle(.look(at: look))) }
  }

  /// The sessions have been counted.
  mutating func look(_ admitted: UInt64, at now: Instant) {
    // It may have ended since that was asked for.
    guard lameDuckNow != nil else { return }
    changeLameDuck { $0.note(admitted, at: now) }
    guard let watch = lameDuckNow else { return }
    if watch.quietAt <= now { return drainAfterLameDuck(.quiet, at: now) }
    if let next = watch.nextLook(after: now) { actions.append(.lifecycle(.look(at: next))) }
  }

  /// A body of the graph came back, or is waited for no longer.
  mutating func noteForLameDuck(_ end: PhaseEnd?) {
    changeLameDuck { watch in
      watch.bodies -= 1
      if end?.isFailed == true { watch.hasFailed = true }
    }
  }

  /// What ends it of itself.
  mutating func endLameDuckIfDue(at now: Instant) {
    guard let watch = lameDuckNow else { return }
    if watch.bodies <= 0 { return drainAfterLameDuck(.nothingLeft, at: now) }
    if watch.hasFailed { return drainAfterLameDuck(.phaseFailed, at: now) }
    if watch.until <= now { drainAfterLameDuck(.limit, at: now) }
  }

  mutating func drainAfterLameDuck(_ end: LameDuck.End, at now: Instant) {
    guard endLameDuck(end, at: now) else { return }
    for id in graph.downwards { drainIfFree(id, at: now) }
  }

  /// - Returns: Whether there was one.
  mutating func endLameDuck(_ end: LameDuck.End, at now: Instant) -> Bool {
    guard case .stopping(var stopping) = state, let watch = stopping.lameDuck else { return false }
    stopping.lameDuck = nil
    state = .stopping(stopping)
    let report = LameDuck.Report(took: now - watch.begunAt, end: end, limit: watch.until - watch.begunAt)
    lameDuckReport = report
    actions.append(.lifecycle(.lameDuckEnded(report)))
    return true
  }
}

extension StopRequest.Source {
  /// Whether all that was served before can be served on for a while.
  var leavesAllServing: Bool {
    switch origin {
    case .signal, .code, .serviceGroup, .control, .file, .http, .custom: true
    // A successor serves already; a phase is gone, or has done all there was to do; the caller is in a hurry.
    case .successor, .phaseFailed, .phaseEnded, .cancellation: false
    }
  }
}
