/// What the state machine knows of one phase.
package struct PhaseRecord: Hashable, Sendable {
  package typealias Instant = MonotonicInstant

  package enum State: Hashable, Sendable {
    /// Something that it requires is not ready.
    case waiting
    /// Its body has been called; it has not said that it is ready.
    case starting
    case ready
    /// It came back by itself, and waits to be started again.
    case backingOff(until: Instant)
    /// All that require it have ended; its gate is closed.
    case draining(until: Instant)
    /// The time to drain is over, and what is inside is cancelled; the body is not yet.
    case cutting(until: Instant)
    case cancelled(until: Instant)
    case ended(PhaseEnd)
  }

  package var state = State.waiting
  /// How many of those that it requires are not ready yet.
  var requirementsLeft: Int
  /// How many of those that require it have begun and not ended.
  var dependentsLive = 0
  /// It has ended, and some of those have not.
  var isNeeded = false
  /// Its gate is closed and empty.
  var isEmpty = false
  /// Its body has come back, and this is how.
  var verdict: PhaseEnd?
  /// It has done what it had to do, and the rest runs on.
  var isDone = false
  /// It was not ready in time.
  var startFailure: String?
  /// It has heard of a stop: of the whole, or of this phase alone.
  var hasHeard = false
  /// When it stops alone: by when.
  var timetable: StopTimetable?
  /// The request that stops it alone does not wait for its drain.
  var isHurried = false
  var isStraggler = false
  /// It stops in order to be started again.
  var isRecycling = false
  /// Its delay is over, and those that are started again after it have not ended.
  var isDue = false
  /// How it ended when it was stopped to be started again.
  var lastEnd: PhaseEnd?
  var history = RestartHistory()
  /// Its gate is closed until it is ready again.
  var isShut = false
  /// A requirement restarts, and the phase was told so.
  var isWaiting = false
  /// It has said that it is ready since it was started the last time.
  var hasSaidReady = false
  /// Until when it must be ready.
  var startUntil: Instant?
  var startedAt: Instant?
  var readyAt: Instant?
  var drainAt: Instant?
  var turnAt: Instant?
  var endedAt: Instant?
  /// The children that have not ended.
  var children: Set<Int> = []

  init(requirements: Int) { requirementsLeft = requirements }

  /// Of a child, which is ready from the beginning.
  init(openedAt now: Instant) {
    requirementsLeft = 0
    state = .ready
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
    case .starting, .ready, .draining, .cutting, .cancelled: verdict == nil
    case .waiting, .backingOff, .ended: false
    }
  }

  /// Whether it has never been ready, and is to become so.
  ///
  /// A phase that was stopped alone may still say so, but that is not waited for.
  var isAwaited: Bool { readyAt == nil && (!hasHeard || isRecycling) }

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

  /// When something must be done about it if it says nothing before.
  var due: Instant? {
    switch state {
    case .draining(let until), .cutting(let until), .cancelled(let until): until
    case .backingOff(let until): hasHeard || isDue ? nil : until
    // The readiness is not waited for once the body has come back, or is to stop.
    case .starting: startFailure == nil && verdict == nil && !hasHeard ? startUntil : nil
    case .waiting, .ready, .ended: nil
    }
  }

  /// As it was before it began; what happened so far stays in the report.
  mutating func recycle(requirements: Int) {
    let (history, isShut, dependentsLive) = (history, isShut, dependentsLive)
    let (startedAt, readyAt) = (startedAt, readyAt)
    self = PhaseRecord(requirements: requirements)
    self.history = history
    self.isShut = isShut
    self.dependentsLive = dependentsLive
    self.startedAt = startedAt
    self.readyAt = readyAt
  }

  /// How it ended, once its body has come back and its gate is empty.
  var end: PhaseEnd? {
    guard isEmpty, let verdict else { return nil }
    switch state {
    case .draining: return startFailure.map { .failed($0) } ?? verdict
    case .cutting, .cancelled:
      return (isHurried || isRecycling) && !isStraggler ? verdict : .cancelled(error: startFailure ?? verdict.error)
    case .waiting, .starting, .ready, .backingOff, .ended: return nil
    }
  }

  func report(_ id: Int, name: String, parent: String?, since start: Instant) -> PhaseReport {
    let end: PhaseEnd = if case .ended(let end) = state { end } else { lastEnd ?? .neverStarted }
    var report = PhaseReport(
      name: name, parent: parent, end: end, startedAfter: startedAt.map { $0 - start },
      readyAfter: readyAt.map { $0 - start }, drainAfter: drainAt.map { $0 - start },
      turnAfter: turnAt.map { $0 - start }, endedAfter: endedAt.map { $0 - start })
    report.id = id
    report.restarts = history.reports
    report.restarted = history.total
    return report
  }
}
