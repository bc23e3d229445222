internal import Synchronization

/// What comes again and again is said a few times in an interval, and then how often it came.
///
/// For lines of a log that others cause: peers that are refused, connections that cannot be accepted.
package struct RepetitionLimit: Sendable {
  package typealias Instant = ContinuousClock.Instant

  package enum Decision: Equatable, Sendable {
    /// Say it, and that it came so often since it was said last.
    case say(unsaid: Int)
    case keepStill
  }

  private let most: Int
  private let interval: Duration
  private var begin: Instant?
  private var said = 0
  private var unsaid = 0

  /// - Parameters:
  ///   - most: How often it is said in an interval.
  ///   - interval: 10 s unless given.
  package init(_ most: Int, in interval: Duration = .seconds(10)) {
    self.most = most
    self.interval = interval
  }

  package mutating func decide(at now: Instant) -> Decision {
    if let begin, now < begin + interval {
      guard said < most else {
        unsaid += 1
        return .keepStill
      }
    } else {
      begin = now
      said = 0
    }
    said += 1
    defer { unsaid = 0 }
    return .say(unsaid: unsaid)
  }
}

/// The same for several threads.
package final class SharedRepetitionLimit: Sendable {
  private let limit: Mutex<RepetitionLimit>

  package init(_ most: Int, in interval: Duration = .seconds(10)) {
    limit = Mutex(RepetitionLimit(most, in: interval))
  }

  package func decide(at now: RepetitionLimit.Instant) -> RepetitionLimit.Decision {
    limit.withLock { $0.decide(at: now) }
  }
}
