/// What the state machine knows of one phase.
package struct PhaseRecord: Hashable, Sendable {
  package typealias Instant = MonotonicInstant

  package var state = PhaseState.waiting(after: nil)
  var stop = StopOrder.notAsked
  /// How many of the phases that it requires are not ready yet.
  var requirementsLeft: Int
  /// How many of the phases that require it have begun and not ended.
  var dependentsLive = 0
  /// Why its start failed: it was not ready in time.
  var startFailure: String?
  /// Why that it was never ready is no clean end, when the whole stops.
  var neverReady: String?
  var history = RestartHistory()
  var startedAt: Instant?
  var readyAt: Instant?
  var drainAt: Instant?
  var turnAt: Instant?
  var endedAt: Instant?
  /// The children that have not ended.
  var children: Set<Int> = []

  // Four that go with nearly every state, since they are about others: about the request, the stop of the whole, the gate
  // and what the phase requires.

  /// The request that stops it does not wait for its drain: to be cancelled is what was asked for.
  var isHurried = false
  /// It has been named as late in a stop; once for all of its deadlines.
  var isStraggler = false
  /// Its gate is closed while it restarts, until it is ready again: it may wait, start or drain meanwhile.
  var isShut = false
  /// A phase that it requires restarts, and it was told so.
  var isWaiting = false

  init(requirements: Int) { requirementsLeft = requirements }

  /// Of a child, which is ready from the beginning.
  init(openedAt now: Instant) {
    requirementsLeft = 0
    state = .ready(.running)
    startedAt = now
    readyAt = now
  }

  /// Of a child that is not known any more.
  static let gone = {
    var gone = PhaseRecord(requirements: 0)
    gone.state = .ended(.drained)
    return gone
  }()

  /// Whether its body was called and has not been given up.
  package var isLive: Bool {
    switch state {
    case .starting, .ready, .backingOff, .draining, .cutting, .cancelled: true
    case .waiting, .ended: false
    }
  }

  /// Whether its body runs and is waited for.
  var hasBody: Bool {
    switch state {
    case .starting(.running, _), .ready(.running): true
    case .draining(let ending), .cutting(let ending), .cancelled(let ending): ending.isBodyRunning
    case .starting, .ready, .waiting, .backingOff, .ended: false
    }
  }

  /// How its body came back; `nil` while it runs.
  var verdict: PhaseEnd? { state.body?.verdict }

  /// Whether it is ready, and is to stay so.
  var isReady: Bool {
    if case .ready = state { !isRecycling } else { false }
  }

  /// Whether it has not begun.
  var isToBegin: Bool {
    if case .waiting = state { true } else { false }
  }

  /// Whether its delay is over, and it waits for other phases before it is started again.
  var isDue: Bool {
    if case .backingOff(nil) = state { true } else { false }
  }

  /// Whether it has come back, and is to be started again.
  var isBackingOff: Bool {
    if case .backingOff = state { !hasHeard } else { false }
  }

  /// Whether it has done what it had to do, while the rest runs on.
  var isDone: Bool {
    if case .done = state.body { true } else { false }
  }

  /// Whether it has ended, and phases that require it have not.
  var isNeeded: Bool {
    if case .ended = state { dependentsLive > 0 } else { false }
  }

  /// Whether it has heard of a stop: of the whole, or of this phase alone.
  var hasHeard: Bool {
    if case .notAsked = stop { false } else { true }
  }

  /// Whether it stops in order to be started again.
  var isRecycling: Bool {
    if case .toStartAgain = stop { true } else { false }
  }

  /// Whether it has never been ready, and is to become so.
  ///
  /// A phase that was stopped alone may still say so, but that is not waited for.
  var isAwaited: Bool { readyAt == nil && (!hasHeard || isRecycling) }

  /// How long a phase may take until it is ready before that is worth a warning, where it has no start limit.
  package static var usualStart: Duration { .seconds(10) }

  /// Since when it has not been ready, where that is overdue.
  ///
  /// A phase that has a start limit has failed when that is over, and is not overdue before.
  func isOverdue(startLimit: Duration?, at now: Instant) -> Bool {
    guard isAwaited, let startedAt, now - startedAt >= max(startLimit ?? .zero, Self.usualStart) else { return false }
    switch state {
    case .starting(.running, _), .backingOff: return true
    case .waiting, .starting, .ready, .draining, .cutting, .cancelled, .ended: return false
    }
  }

  /// Whether it has begun and has not been told to drain.
  var awaitsDrain: Bool {
    switch state {
    case .starting, .ready, .backingOff: true
    case .waiting, .draining, .cutting, .cancelled, .ended: false
    }
  }

  /// Whether it drains, and has time to.
  var isDraining: Bool {
    if case .draining = state { true } else { false }
  }

  /// Whether its gate is closed and empty.
  var isEmpty: Bool { state.ending?.isEmpty ?? false }

  /// When something must be done about it if it says nothing before.
  var due: Instant? {
    switch state {
    case .draining(let ending), .cutting(let ending), .cancelled(let ending): ending.until
    case .backingOff(let until): hasHeard ? nil : until
    // The readiness is not waited for once the body has come back, or is to stop.
    case .starting(.running, let until): startFailure == nil && !hasHeard ? until : nil
    case .waiting, .starting, .ready, .ended: nil
    }
  }

  /// As it was before it began; what happened so far stays in the report.
  mutating func recycle(requirements: Int, after end: PhaseEnd) {
    let (history, isShut, dependentsLive) = (history, isShut, dependentsLive)
    let (startedAt, readyAt) = (startedAt, readyAt)
    self = PhaseRecord(requirements: requirements)
    state = .waiting(after: end)
    self.history = history
    self.isShut = isShut
    self.dependentsLive = dependentsLive
    self.startedAt = startedAt
    self.readyAt = readyAt
  }

  /// How it ended, once its body has come back and its gate is empty.
  var end: PhaseEnd? {
    switch state {
    case .draining(let ending):
      ending.verdict.map { verdict in (startFailure ?? neverReady).map { .failed($0) } ?? verdict }
    case .cutting(let ending), .cancelled(let ending):
      ending.verdict.map { verdict in
        (isHurried || isRecycling) && !isStraggler
          ? neverReady.map { .failed($0) } ?? verdict
          : .cancelled(error: startFailure ?? neverReady ?? verdict.error)
      }
    case .waiting, .starting, .ready, .backingOff, .ended: nil
    }
  }

  func report(_ id: Int, name: String, parent: String?, since start: Instant) -> PhaseReport {
    let end: PhaseEnd =
      switch state {
      case .ended(let end): end
      case .waiting(let end): end ?? .neverStarted
      case .starting, .ready, .backingOff, .draining, .cutting, .cancelled: .neverStarted
      }
    var report = PhaseReport(
      name: name, parent: parent, end: end, startedAfter: startedAt.map { $0 - start },
      readyAfter: readyAt.map { $0 - start }, drainAfter: drainAt.map { $0 - start },
      turnAfter: turnAt.map { $0 - start }, endedAfter: endedAt.map { $0 - start })
    report.id = id
    report.restarts = history.told
    report.restarted = history.restarted
    return report
  }
}
