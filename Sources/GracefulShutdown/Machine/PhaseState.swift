/// Where a phase is: each state with what is known of a phase there, and nowhere else.
package enum PhaseState: Hashable, Sendable {
  package typealias Instant = MonotonicInstant

  /// Something that the phase requires is not ready.
  ///
  /// `after` is how its run before ended, which was stopped in order to be started again.
  case waiting(after: PhaseEnd?)
  /// The body has been called; it has not said that it is ready, and must by this instant.
  case starting(Body, until: Instant?)
  case ready(Body)
  /// The body came back by itself, and waits to be called again.
  ///
  /// Without an instant the delay is over, and what the phase waits for is other phases: those that it requires, or those
  /// that are started again after it.
  case backingOff(until: Instant?)
  /// All phases that require this one have ended; its gate is closed.
  case draining(Ending)
  /// The time to drain is over, and what is inside is cancelled; the body is not yet.
  case cutting(Ending)
  case cancelled(Ending)
  case ended(PhaseEnd)

  /// What is known of a body that has been called.
  package enum Body: Hashable, Sendable {
    case running
    /// It has done what it had to do, and the rest of the program runs on.
    case done
    /// It has come back, and this is how.
    case back(PhaseEnd)

    /// How it came back; `nil` while it runs.
    var verdict: PhaseEnd? {
      switch self {
      case .running: nil
      case .done: .endedByItself
      case .back(let verdict): verdict
      }
    }
  }

  /// The two halves of an end, the body and the gate, and how long they are waited for.
  package struct Ending: Hashable, Sendable {
    package var until: Instant
    var body: Body
    /// The gate is closed and empty.
    var isEmpty = false
    /// The body has said that it is ready, be it as late as this.
    var hasSaidReady: Bool

    var isBodyRunning: Bool {
      if case .running = body { true } else { false }
    }

    /// How the body came back, once the gate is empty too.
    var verdict: PhaseEnd? { isEmpty ? body.verdict : nil }
  }

  /// Of a body that has been called, and not been given up.
  var body: Body? {
    switch self {
    case .starting(let body, _), .ready(let body): body
    case .draining(let ending), .cutting(let ending), .cancelled(let ending): ending.body
    case .waiting, .backingOff, .ended: nil
    }
  }

  /// Of a phase that drains, or is cut short.
  var ending: Ending? {
    switch self {
    case .draining(let ending), .cutting(let ending), .cancelled(let ending): ending
    case .waiting, .starting, .ready, .backingOff, .ended: nil
    }
  }

  /// The ending that begins here.
  func ending(until: Instant) -> Ending? {
    switch self {
    case .starting(let body, _): return Ending(until: until, body: body, hasSaidReady: false)
    case .ready(let body): return Ending(until: until, body: body, hasSaidReady: true)
    // The body had come back, and is not there to be told, or to say anything.
    case .backingOff: return Ending(until: until, body: .back(.drained), hasSaidReady: true)
    case .draining(var ending), .cutting(var ending), .cancelled(var ending):
      ending.until = until
      return ending
    case .waiting, .ended: return nil
    }
  }

  /// Changes the body, where there is one.
  mutating func change(_ new: Body) {
    switch self {
    case .starting(_, let until): self = .starting(new, until: until)
    case .ready: self = .ready(new)
    case .draining, .cutting, .cancelled: changeEnding { $0.body = new }
    case .waiting, .backingOff, .ended: break
    }
  }

  /// Changes the ending, where there is one.
  mutating func changeEnding(_ change: (inout Ending) -> Void) {
    switch self {
    case .draining(var ending):
      change(&ending)
      self = .draining(ending)
    case .cutting(var ending):
      change(&ending)
      self = .cutting(ending)
    case .cancelled(var ending):
      change(&ending)
      self = .cancelled(ending)
    case .waiting, .starting, .ready, .backingOff, .ended: break
    }
  }
}

/// Whether a phase is to stop, and why.
package enum StopOrder: Hashable, Sendable {
  case notAsked
  /// With all others or with its parent; or, before it has begun, never to begin.
  case heard
  /// Alone, by these instants.
  case alone(StopTimetable)
  /// By these instants, in order to be started again.
  case toStartAgain(StopTimetable)

  /// The timetable of its own; that of the whole holds as well.
  var timetable: StopTimetable? {
    switch self {
    case .notAsked, .heard: nil
    case .alone(let timetable), .toStartAgain(let timetable): timetable
    }
  }

  mutating func changeTimetable(_ change: (inout StopTimetable) -> Void) {
    switch self {
    case .notAsked, .heard: break
    case .alone(var timetable):
      change(&timetable)
      self = .alone(timetable)
    case .toStartAgain(var timetable):
      change(&timetable)
      self = .toStartAgain(timetable)
    }
  }
}
