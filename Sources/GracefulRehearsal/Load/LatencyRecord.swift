internal import Histogram

/// When a request was on its way.
package enum LoadPhase: Int, CaseIterable, Sendable {
  /// Before the first restart.
  case steady
  /// While a restart was going on, or within 500 ms after it.
  case restarting
  /// The rest.
  case between
}

/// Latencies of the answered requests of one phase, in milliseconds.
public struct LatencySummary: Hashable, Sendable {
  /// Half were answered within this.
  public var p50: Double
  /// 99 of 100.
  public var p99: Double
  /// 999 of 1,000.
  public var p999: Double
  /// All.
  public var max: Double

  /// Makes a summary.
  public init(p50: Double = 0, p99: Double = 0, p999: Double = 0, max: Double = 0) {
    self.p50 = p50
    self.p99 = p99
    self.p999 = p999
    self.max = max
  }
}

/// Counts latencies: from 1 µs to a minute, with three significant digits.
struct LatencyRecord: Sendable {
  private var histogram = Histogram<UInt64>(
    lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000, numberOfSignificantValueDigits: .three)
  private var longest: Int64 = 0

  mutating func record(nanoseconds: Int64) {
    let microseconds = UInt64(clamping: nanoseconds / 1000)
    _ = histogram.record(min(max(microseconds, 1), 60_000_000))
    longest = max(longest, nanoseconds)
  }

  mutating func add(_ other: LatencyRecord) {
    histogram.add(other.histogram)
    longest = max(longest, other.longest)
  }

  var summary: LatencySummary {
    guard longest > 0 else { return LatencySummary() }
    // The histogram answers with the upper end of a bucket, which may lie above what was ever seen.
    let most = Double(longest) / 1_000_000
    func at(_ percentile: Double) -> Double { min(Double(histogram.valueAtPercentile(percentile)) / 1000, most) }
    return LatencySummary(p50: at(50), p99: at(99), p999: at(99.9), max: most)
  }
}
