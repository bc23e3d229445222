/// What is remembered of the restarts of one phase, and the arithmetic of the next delay.
package struct RestartHistory: Hashable, Sendable {
  package typealias Instant = MonotonicInstant

  /// More would not be read.
  private static var mostReported: Int { 64 }

  package internal(set) var reports: [RestartReport] = []
  /// How many restarts were decided; the last one may not have come yet.
  package private(set) var total = 0
  /// Whether the last restart was decided, and has not come: a stop may come first.
  private(set) var isPending = false
  /// Those within the window, as many as could decide.
  var recent: [Instant] = []
  /// What the delays grow by.
  private var count = 0
  var lastRestart: Instant?
  /// What went wrong when it was stopped, and is to be told once it is started again.
  var stopping: RestartReport?

  package init() {}

  /// How often it was started again.
  var restarted: Int { isPending ? total - 1 : total }

  /// What is told of each: a restart that has not come has no delay.
  var told: [RestartReport] {
    guard isPending, var last = reports.last else { return reports }
    last.delay = nil
    return reports.dropLast() + [last]
  }

  /// Two restarts of a phase are never closer: a loop in which nothing takes any time costs next to none (measured: 1.7 s of
  /// processor time in a minute, in a debug build).
  package static var shortestGap: Duration { .milliseconds(10) }
  /// Nothing that has been restarted so often is ever well; and what is remembered has a bound.
  package static var highestIntensity: Int { 10_000 }

  /// A failure, and what follows from it.
  ///
  /// Time may jump. When it runs backwards, nothing decays and nothing leaves the window meanwhile.
  ///
  /// - Parameter chance: Between -1 and 1, for the jitter.
  /// - Returns: The delay; `nil` when it is one too many.
  package mutating func fail(
    _ reason: String, _ policy: RestartPolicy, chance: Double, since start: Instant, at now: Instant
  ) -> Duration? {
    let expired = recent.firstIndex { now - $0 < policy.window } ?? recent.count
    recent.removeFirst(expired)
    decay(policy.decay, at: now)
    count += 1
    guard recent.count < min(policy.intensity, Self.highestIntensity) else {
      isPending = false
      note(RestartReport(after: now - start, reason: reason, delay: nil))
      return nil
    }
    recent.append(now)
    total += 1
    var delay = Self.delay(policy, count: count, chance: chance)
    if let lastRestart { delay = max(delay, min(lastRestart + Self.shortestGap - now, Self.shortestGap)) }
    lastRestart = now + delay
    note(RestartReport(after: now - start, reason: reason, delay: delay))
    isPending = true
    return delay
  }

  /// By the time that it has run since, and not by what it has waited: else the longest delays would bring back the
  /// shortest.
  private mutating func decay(_ half: Duration, at now: Instant) {
    guard let lastRestart, half > .zero, now > lastRestart else { return }
    let halvings = (now - lastRestart) / half
    // After so many there is nothing left of any count.
    count = halvings >= 63 ? 0 : count >> Int(halvings)
  }

  /// It was stopped to be started again after another phase, and something went wrong in that.
  ///
  /// That is for the history once it is started again; when it never is, it is how it ended.
  mutating func failWhileStopping(_ error: String, since start: Instant, at now: Instant) {
    stopping = RestartReport(after: now - start, reason: "while it stopped to be started again: \(error)", delay: nil)
  }

  /// It is started again.
  ///
  /// - Parameter isPrompt: Whether it waited for its delay alone; else it waited for other phases as well, and what is told
  ///   is how long that took.
  mutating func begin(isPrompt: Bool = false, since start: Instant, at now: Instant) {
    if isPending {
      isPending = false
      if !isPrompt, let last = reports.indices.last {
        reports[last].delay = now - start - reports[last].after
        lastRestart = now
      }
    }
    guard var report = stopping else { return }
    stopping = nil
    report.delay = now - start - report.after
    total += 1
    note(report)
  }

  private mutating func note(_ report: RestartReport) {
    // The first ones and the last one: what began it, and where it ended.
    if reports.count == Self.mostReported { reports.removeLast() }
    reports.append(report)
  }

  /// The first delay, times the factor for each failure after the first, up to the maximum; then the jitter.
  static func delay(_ policy: RestartPolicy, count: Int, chance: Double) -> Duration {
    let first = max(policy.firstDelay.bounded, .zero)
    let maximum = max(policy.maximumDelay.bounded, .zero)
    // What is no number compares as false.
    if policy.firstAtOnce, count <= 1 { return .zero }
    let growth = policy.factor > 1 ? power(policy.factor, count - (policy.firstAtOnce ? 2 : 1)) : 1
    let delay = first == .zero ? .zero : growth < maximum / first ? first * growth : maximum
    let jitter = policy.jitter > 0 ? min(policy.jitter, 1) : 0
    return (delay * (1 + jitter * min(max(chance, -1), 1))).bounded
  }

  /// By squaring: of a phase that has failed a million times, the next delay costs no more than the second.
  private static func power(_ base: Double, _ exponent: Int) -> Double {
    var (result, square, left) = (1.0, base, max(exponent, 0))
    while left > 0 {
      if left & 1 == 1 { result *= square }
      square *= square
      left >>= 1
    }
    return result
  }
}

/// One restart of a phase, or the failure after which it gave up.
public struct RestartReport: Hashable, Sendable {
  /// When it came back, counted from the start of the lifecycle.
  ///
  /// By itself; or it was not ready in time and stopped for that; or it failed when it was stopped to be started again
  /// after another phase.
  public var after: Duration
  /// Why: its error, or that it returned.
  public var reason: String
  /// How long it waited before it was started again.
  ///
  /// `nil` when it was not: it was one too many, or a stop came first.
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
