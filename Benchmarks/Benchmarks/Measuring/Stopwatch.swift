/// How long one operation of many took, in picoseconds: nanoseconds are too coarse for what takes six of them.
package enum Stopwatch {
  /// Of so many rounds the fastest counts: whatever else the machine does can only make one slower.
  package static let rounds = 5

  package static func each(of count: Int, _ work: () throws -> Void) rethrows -> Double {
    var best = Double.infinity
    for _ in 0..<rounds { best = min(best, picoseconds(try ContinuousClock().measure(work)) / Double(count)) }
    return best
  }

  package static func each(
    of count: Int, isolation: isolated (any Actor)? = #isolation, _ work: () async throws -> Void
  ) async rethrows -> Double {
    var best = Double.infinity
    for _ in 0..<rounds { best = min(best, try await once(of: count, work)) }
    return best
  }

  /// Of what cannot be repeated.
  package static func once(
    of count: Int, isolation: isolated (any Actor)? = #isolation, _ work: () async throws -> Void
  ) async rethrows -> Double {
    let start = ContinuousClock.now
    try await work()
    return picoseconds(.now - start) / Double(count)
  }

  private static func picoseconds(_ duration: Duration) -> Double {
    let (seconds, attoseconds) = duration.components
    return Double(seconds) * 1e12 + Double(attoseconds) / 1e6
  }
}
