/// A lame-duck time that is running: when it ends, and what has been seen of the sessions.
package struct LameDuckWatch: Hashable, Sendable {
  package typealias Instant = MonotonicInstant

  package let begunAt: Instant
  /// It does not end before this for want of sessions.
  package let minimumUntil: Instant
  package let until: Instant
  let quiet: Duration
  /// How many had been admitted in all at the last look.
  private var admitted: UInt64?
  private var quietSince: Instant
  /// How many phases of the graph have a body that runs.
  var bodies: Int
  /// A phase has failed since.
  var hasFailed = false

  init(_ time: LameDuck.Timing, bodies: Int, at now: Instant) {
    begunAt = now
    minimumUntil = now + time.minimum
    until = now + time.limit
    quiet = time.quiet
    quietSince = now
    self.bodies = bodies
  }

  /// When to look at the sessions for the first time: so late that it may be quiet as the minimum is over, and no sooner.
  ///
  /// `nil` when it cannot become quiet before it is over anyway.
  var firstLook: Instant? {
    guard max(minimumUntil, begunAt + quiet) < until else { return nil }
    return max(begunAt, minimumUntil - quiet)
  }

  /// Notes what was seen.
  ///
  /// Sessions may have come at any time since the look before: it has been quiet only since this one. So it never ends
  /// too early, and up to an eighth of the quiet too late.
  mutating func note(_ count: UInt64, at now: Instant) {
    if admitted != count { quietSince = now }
    admitted = count
  }

  /// When it ends, if no further session comes.
  var quietAt: Instant { max(quietSince + quiet, minimumUntil) }

  /// When to look again; `nil` when it is over before it can be quiet.
  func nextLook(after now: Instant) -> Instant? {
    quietAt < until ? min(quietAt, now + max(quiet / 8, LameDuck.Timing.leastQuiet)) : nil
  }
}
