/// Which phases of the graph are not ready, since when, and when that is to be said (S17).
///
/// Beside the lifecycle's state machine, for nothing that it knows changes what becomes of a phase.
package struct ReadinessWatch: Hashable, Sendable {
  package typealias Instant = MonotonicInstant

  /// A phase that is waited for.
  package struct Overdue: Hashable, Sendable {
    package var phase: Int
    package var waited: Duration
    /// It came back, and waits to be started again.
    package var hasComeBack: Bool
  }

  private struct Entry: Hashable {
    var since: Instant
    var next: Instant
    var hasComeBack: Bool
  }

  /// After twice the time each time, but at least every so often.
  private static var longestSilence: Duration { .seconds(600) }

  private var entries: [Int: Entry] = [:]
  /// When it will be looked at.
  private var armed: Instant?
  /// When to look at it, where that has not been asked for yet.
  private var unasked: Instant?

  package init() {}

  /// Notes what was decided about a phase of the graph.
  package mutating func note(_ action: LifecycleStateMachine.PhaseAction, on phase: Int, at now: Instant) {
    switch action {
    case .start: wait(for: phase, hasComeBack: false, since: now)
    case .restart: wait(for: phase, hasComeBack: true, since: now)
    case .ready, .done, .stoppedBeforeReady, .hear, .drain, .abandon, .renew, .release: entries[phase] = nil
    case .turn, .cut, .cancel, .refuse, .hold, .admit, .waiting: break
    }
  }

  private mutating func wait(for phase: Int, hasComeBack: Bool, since now: Instant) {
    let next = entries[phase]?.next ?? now + PhaseRecord.usualStart
    entries[phase] = Entry(since: entries[phase]?.since ?? now, next: next, hasComeBack: hasComeBack)
    arm(next)
  }

  private mutating func arm(_ next: Instant) {
    guard armed.map({ next < $0 }) ?? true else { return }
    (armed, unasked) = (next, next)
  }

  /// - Returns: When to look, once for each instant.
  package mutating func takeNextLook() -> Instant? {
    defer { unasked = nil }
    return unasked
  }

  /// It is time to look, or was, or not yet.
  ///
  /// - Returns: What is to be said: all that is waited for, when one of them is overdue again.
  package mutating func look(at now: Instant) -> [Overdue] {
    armed = nil
    let isDue = entries.values.contains { $0.next <= now }
    var overdue: [Overdue] = []
    for (phase, entry) in entries.sorted(by: { $0.key < $1.key }) {
      let waited = now - entry.since
      guard isDue, waited >= PhaseRecord.usualStart else { continue }
      overdue.append(Overdue(phase: phase, waited: waited, hasComeBack: entry.hasComeBack))
      entries[phase]?.next = now + min(waited, Self.longestSilence)
    }
    if let next = entries.values.map(\.next).min() { arm(next) }
    return overdue
  }
}
