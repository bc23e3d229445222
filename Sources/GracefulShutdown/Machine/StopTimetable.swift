/// The instants of one stop, all fixed by the first request (S4).
///
///     request ─────── drain ─────── cancelAt ── cancel limit ── abandonAt ── reserve ── deadline
package struct StopTimetable: Hashable, Sendable {
  package typealias Instant = MonotonicInstant

  package let requestedAt: Instant
  package let cancelLimit: Duration
  package let reserve: Duration
  /// From here on no phase drains: the phases whose turn it is are cancelled.
  package private(set) var cancelAt: Instant
  /// From here on no phase is waited for.
  package private(set) var abandonAt: Instant
  /// The process has ended.
  package private(set) var deadline: Instant

  package init(grace: Duration, at now: Instant) {
    requestedAt = now
    cancelLimit = Self.cancelLimit(of: grace)
    reserve = Self.reserve(of: grace)
    deadline = now + grace
    abandonAt = deadline - reserve
    cancelAt = abandonAt - cancelLimit
  }

  private static func cancelLimit(of grace: Duration) -> Duration { min(.seconds(2), grace / 4) }
  private static func reserve(of grace: Duration) -> Duration { min(.seconds(1), grace / 4) }

  /// What a grace leaves to drain: no phase has longer, whatever its limit says.
  package static func drainTime(of grace: Duration) -> Duration { grace - cancelLimit(of: grace) - reserve(of: grace) }

  /// The drain is over now; nothing ever moves to a later instant by this.
  package mutating func cancelNow(at now: Instant) {
    cancelAt = min(cancelAt, now)
    abandonAt = min(abandonAt, now + cancelLimit)
    deadline = min(deadline, abandonAt + reserve)
  }

  /// The earlier of both, instant by instant.
  package func clipped(to other: StopTimetable) -> StopTimetable {
    var clipped = self
    clipped.cancelAt = min(cancelAt, other.cancelAt)
    clipped.abandonAt = min(abandonAt, other.abandonAt)
    clipped.deadline = min(deadline, other.deadline)
    return clipped
  }

  /// Until when a phase whose turn comes now may drain.
  package func drainUntil(limit: Duration?, from now: Instant) -> Instant {
    guard let limit else { return cancelAt }
    return min(now + limit, cancelAt)
  }

  /// Until when a phase that is cancelled now is waited for.
  ///
  /// What is left is shared evenly along the chain below it (`depth`, itself included). Otherwise one phase that ignores
  /// its cancellation uses up all there is, and those behind it are abandoned without ever having had their turn.
  package func waitUntil(depth: Int, from now: Instant) -> Instant {
    guard abandonAt > now else { return abandonAt }
    return min(now + cancelLimit, depth > 1 ? now + (abandonAt - now) / depth : abandonAt)
  }
}
