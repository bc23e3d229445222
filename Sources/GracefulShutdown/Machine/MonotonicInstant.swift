/// An instant of the continuous clock, as the state machine keeps it: how long it is after a fixed instant.
///
/// The layout of `ContinuousClock.Instant` is not known when this is compiled, so whatever holds one is copied, compared
/// and destroyed through tables of functions; a record of a phase holds ten (measured: a fifth of what a phase costs).
/// `Duration` is frozen.
package struct MonotonicInstant: Hashable, Comparable, Sendable {
  private var offset: Duration

  private static let base = ContinuousClock.now

  package init(_ instant: ContinuousClock.Instant) { offset = Self.base.duration(to: instant) }

  package static var now: Self { Self(.now) }

  package static func < (left: Self, right: Self) -> Bool { left.offset < right.offset }

  package static func - (left: Self, right: Self) -> Duration { left.offset - right.offset }

  package static func += (left: inout Self, right: Duration) { left.offset += right }

  package static func + (left: Self, right: Duration) -> Self {
    var sum = left
    sum += right
    return sum
  }

  package static func - (left: Self, right: Duration) -> Self { left + (.zero - right) }

  fileprivate var onClock: ContinuousClock.Instant { Self.base.advanced(by: offset) }
}

extension ContinuousClock.Instant {
  package init(_ instant: MonotonicInstant) { self = instant.onClock }
}
