/// What is remembered of the restarts of one phase, and the arithmetic of the next delay.
package struct RestartHistory: Hashable, Sendable {
  package typealias Instant = ContinuousClock.Instant

  /// More would be read by nobody.
  private static var mostReported: Int { 64 }

  package private(set) var reports: [RestartReport] = []
  package private(set) var total = 0
  /// Those within the window.
  private var recent: [Instant] = []
  /// What the delays grow by.
  private var count = 0
  private var lastFailure: Instant?

  package init() {}

  /// A failure, and what follows from it.
  ///
  /// - Parameter chance: Between -1 and 1, for the jitter.
  /// - Returns: The delay; `nil` when it is one too many.
  package mutating func fail(
    _ reason: String, _ policy: RestartPolicy, chance: Double, since start: Instant, at now: Instant
  ) -> Duration? {
    recent.removeAll { now - $0 >= policy.window }
    if let lastFailure, policy.decay > .zero {
      // A shift by more than the width is defined, and zero.
      let halvings = (now - lastFailure) / policy.decay
      count = halvings >= 63 ? 0 : count >> Int(halvings)
    }
    lastFailure = now
    count += 1
    guard recent.count < policy.intensity else {
      note(RestartReport(after: now - start, reason: reason, delay: nil))
      return nil
    }
    recent.append(now)
    total += 1
    let delay = Self.delay(policy, count: count, chance: chance)
    note(RestartReport(after: now - start, reason: reason, delay: delay))
    return delay
  }

  private mutating func note(_ report: RestartReport) {
    // The first ones and the last one: what began it, and where it ended.
    if reports.count == Self.mostReported { reports.removeLast() }
    reports.append(report)
  }

  /// The first delay, times the factor for each failure after the first, up to the maximum; then the jitter.
  static func delay(_ policy: RestartPolicy, count: Int, chance: Double) -> Duration {
    var delay = max(policy.firstDelay, .zero)
    let maximum = max(policy.maximumDelay, .zero)
    let factor = max(policy.factor, 1)
    var left = count - 1
    while left > 0, factor > 1, delay > .zero, maximum > delay {
      delay = delay * min(factor, 1e6)
      left -= 1
    }
    let jitter = min(max(policy.jitter, 0), 1)
    return min(delay, maximum) * (1 + jitter * min(max(chance, -1), 1))
  }
}

/// One restart of a phase, or the failure after which it gave up.
public struct RestartReport: Hashable, Sendable {
  /// When it came back, counted from the start of the lifecycle.
  public var after: Duration
  /// Why: its error, or that it returned.
  public var reason: String
  /// How long it waited before it was started again.
  ///
  /// `nil` when it was one too many.
  public var delay: Duration?

  package init(after: Duration, reason: String, delay: Duration?) {
    self.after = after
    self.reason = reason
    self.delay = delay
  }
}

/// Chance that a test can repeat: SplitMix64.
struct Chance: Hashable, Sendable {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// The next number between -1 and 1.
  mutating func next() -> Double {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    z ^= z >> 31
    return Double(z >> 11) / Double(1 << 52) - 1
  }
}
