import Synchronization

extension Phase {
  /// Has counted, for a lame-duck time, what comes otherwise than as a session: the connections of a server, for instance.
  ///
  /// ```swift
  /// phase.countArrivals { server.acceptedInAll }
  /// ```
  ///
  /// While one more comes, it is not quiet, and the lame-duck time does not end early (``LameDuck``). It is looked at only
  /// then, a few times a second, on a thread of its own: while it blocks, it is not quiet, and nothing else waits for it. A
  /// server of `GracefulNIO` that serves in a phase does this by itself.
  /// - Parameter count: How many have come so far, in all; until the phase has been started again, or the end of the run.
  public func countArrivals(_ count: @escaping @Sendable () -> Int) { link.driver?.arrivals.add(count, of: self) }
}

/// The counts of what comes otherwise than as a session.
final class ArrivalCounters: Sendable {
  private struct Counter {
    var phase: Int
    var run: Int
    var count: @Sendable () -> Int
  }

  private let counters = Mutex<[Counter]>([])

  /// Adds a count; those of an earlier run of the phase go, for nothing comes there any more.
  func add(_ count: @escaping @Sendable () -> Int, of phase: Phase) {
    let gone = counters.withLock { counters in
      let gone = counters.filter { $0.phase == phase.id && $0.run < phase.run }
      counters.removeAll { $0.phase == phase.id && $0.run < phase.run }
      counters.append(Counter(phase: phase.id, run: phase.run, count: count))
      return gone
    }
    // Let go of outside the lock: they are code of the user, and so is what they hold.
    withExtendedLifetime(gone) {}
  }

  var isEmpty: Bool { counters.withLock { $0.isEmpty } }

  /// How many have come in all.
  var sum: UInt64 {
    // The closures are called outside the lock: they are code of the user.
    let counts = counters.withLock { $0.map(\.count) }
    return counts.reduce(0) { $0 &+ UInt64(truncatingIfNeeded: $1()) }
  }
}
