import Benchmark

/// What a benchmark reads off in each sample.
///
/// All that is compared is measured in one sample, one after the other: a machine that is slow at that moment is slow for
/// all of it, and the ratio stays. Only ratios and bytes have thresholds.
enum Reading {
  static var each: BenchmarkMetric { .custom("one, ps") }
  static var pair: BenchmarkMetric { .custom("one atomic pair, ps") }
  static var ofPair: BenchmarkMetric { .custom("% of an atomic pair") }
  static var foreign: BenchmarkMetric { .custom("swift-service-lifecycle, ps") }
  static var ofForeign: BenchmarkMetric { .custom("% of swift-service-lifecycle") }
  static var ofNoneLive: BenchmarkMetric { .custom("% of the same with none live") }
  static var ofOneThread: BenchmarkMetric { .custom("% of the same on one thread") }
  static var all: BenchmarkMetric { .custom("all of them, µs") }
  static var allForeign: BenchmarkMetric { .custom("all of swift-service-lifecycle, µs") }
  static var allBare: BenchmarkMetric { .custom("all of bare tasks, µs") }
  static var bytes: BenchmarkMetric { .custom("bytes each") }
  static var bytesForeign: BenchmarkMetric { .custom("bytes each, swift-service-lifecycle") }

  /// - Parameter tolerance: By how many percent the ninetieth percentile of a ratio may be above what is stored.
  ///
  ///   On a machine that does something else it moves by half; where a sample cannot be repeated, or the scheduler has a
  ///   part in it, by more.
  static func configuration(
    _ metrics: [BenchmarkMetric], samples: Int = 100, tolerance: Double = 50
  ) -> Benchmark.Configuration {
    let ratio = BenchmarkThresholds(relative: [.p90: tolerance])
    let size = BenchmarkThresholds(relative: [.p90: 10], absolute: [.p90: 4])
    // The tool stores and compares every metric: what depends on the machine is given room that nothing needs.
    let any = BenchmarkThresholds(relative: [.p90: 1_000_000])
    let kept = [ofPair: ratio, ofForeign: ratio, ofNoneLive: ratio, ofOneThread: ratio, bytes: size]
    return .init(
      metrics: metrics, units: Dictionary(uniqueKeysWithValues: metrics.map { ($0, .count) }), warmupIterations: 2,
      maxDuration: .seconds(10), maxIterations: samples,
      thresholds: Dictionary(uniqueKeysWithValues: metrics.map { ($0, kept[$0] ?? any) }))
  }
}

extension Benchmark {
  func read(_ metric: BenchmarkMetric, _ value: Double) { measurement(metric, Int(value.rounded())) }

  func read(_ metric: BenchmarkMetric, _ value: Double, percentOf other: Double) {
    read(metric, value / other * 100)
  }
}
