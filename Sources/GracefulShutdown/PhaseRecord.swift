/// What the state machine knows of one phase.
package struct PhaseRecord: Hashable, Sendable {
  package typealias Instant = ContinuousClock.Instant

  package enum State: Hashable, Sendable {
    /// Something that it requires is not ready.
    case waiting
    /// Its body has been called; it has not said that it is ready.
    case starting
    case ready
    /// Its turn to stop has come.
    case draining(until: Instant)
    case cancelled(until: Instant)
    case ended(PhaseEnd)
  }

  package var state = State.waiting
  /// How many of those that it requires are not ready yet.
  var requirementsLeft: Int
  /// How many of those that require it have begun and not ended.
  var dependentsLive = 0
  var startedAt: Instant?
  var readyAt: Instant?
  var turnAt: Instant?
  var endedAt: Instant?

  init(requirements: Int) { requirementsLeft = requirements }

  /// Whether its body was called and nobody has given it up.
  package var isLive: Bool {
    switch state {
    case .starting, .ready, .draining, .cancelled: true
    case .waiting, .ended: false
    }
  }

  /// Whether it is running and has not been told that its turn has come.
  var awaitsTurn: Bool { state == .starting || state == .ready }

  /// When something must be done about it if it says nothing before.
  var due: Instant? {
    switch state {
    case .draining(let until), .cancelled(let until): until
    case .waiting, .starting, .ready, .ended: nil
    }
  }

  func report(name: String, since start: Instant) -> PhaseReport {
    let end: PhaseEnd = if case .ended(let end) = state { end } else { .neverStarted }
    return PhaseReport(
      name: name, end: end, startedAfter: startedAt.map { $0 - start }, readyAfter: readyAt.map { $0 - start },
      turnAfter: turnAt.map { $0 - start }, endedAfter: endedAt.map { $0 - start })
  }
}
