package import Benchmark

/// What a benchmark reads off in each sample.
///
/// All that is compared is measured in one sample, one after the other: a machine that is slow at that moment is slow for
/// all of it, and the ratio stays. Only ratios and bytes have thresholds.
package enum Reading {
  package static var each: BenchmarkMetric { .custom("one, ps") }
  package static var pair: BenchmarkMetric { .custom("one atomic pair, ps") }
  package static var ofPair: BenchmarkMetric { .custom("% of an atomic pair") }
  package static var foreign: BenchmarkMetric { .custom("swift-service-lifecycle, ps") }
  package static var ofForeign: BenchmarkMetric { .custom("% of swift-service-lifecycle") }
  package static var ofNoneLive: BenchmarkMetric { .custom("% of the same with none live") }
  package static var ofOneThread: BenchmarkMetric { .custom("% of the same on one thread") }
  package static var all: BenchmarkMetric { .custom("all of them, µs") }
  package static var allForeign: BenchmarkMetric { .custom("all of swift-service-lifecycle, µs") }
  package static var allBare: BenchmarkMetric { .custom("all of bare tasks, µs") }
  package static var bytes: BenchmarkMetric { .custom("bytes each") }
  package static var bytesForeign: BenchmarkMetric { .custom("bytes each, swift-service-lifecycle") }
  package static var bytesBare: BenchmarkMetric { .custom("bytes each, bare tasks") }

  package static var up: BenchmarkMetric { .custom("up, µs") }
  package static var upBare: BenchmarkMetric { .custom("up, bare tasks, µs") }
  package static var upForeign: BenchmarkMetric { .custom("up, swift-service-lifecycle, µs") }
  package static var upOfBare: BenchmarkMetric { .custom("up, % of bare tasks") }
  package static var upOfForeign: BenchmarkMetric { .custom("up, % of swift-service-lifecycle") }
  package static var down: BenchmarkMetric { .custom("down, µs") }
  package static var downBare: BenchmarkMetric { .custom("down, bare tasks, µs") }
  package static var downForeign: BenchmarkMetric { .custom("down, swift-service-lifecycle, µs") }
  package static var downOfBare: BenchmarkMetric { .custom("down, % of bare tasks") }
  package static var downOfForeign: BenchmarkMetric { .custom("down, % of swift-service-lifecycle") }

  /// Of many that go up and down again.
  package static var laps: [BenchmarkMetric] {
    [up, upBare, upOfBare, down, downBare, downOfBare, bytes, bytesBare]
  }

  /// Of as many of swift-service-lifecycle, in the same sample.
  package static var lapsForeign: [BenchmarkMetric] {
    [upForeign, upOfForeign, downForeign, downOfForeign, bytesForeign]
  }

  /// - Parameters:
  ///   - tolerance: By how many percent the ninetieth percentile of a ratio may be above what is stored. On a machine that
  ///     does something else it moves by half; where a sample cannot be repeated, or the scheduler has a part in it, by
  ///     more.
  ///   - most: How many bytes more than what is stored there may be, and at most a tenth.
  package static func configuration(
    _ metrics: [BenchmarkMetric], samples: Int = 100, tolerance: Double = 50, bytesWithin most: Int = 4,
    atMost longest: Duration = .seconds(10)
  ) -> Benchmark.Configuration {
    let ratio = BenchmarkThresholds(relative: [.p90: tolerance])
    let size = BenchmarkThresholds(relative: [.p90: 10], absolute: [.p90: most])
    // The tool stores and compares every metric: what depends on the machine is given room that nothing needs.
    let any = BenchmarkThresholds(relative: [.p90: 1_000_000])
    let ratios = [
      ofPair, ofForeign, ofNoneLive, ofOneThread, upOfBare, upOfForeign, downOfBare, downOfForeign,
    ]
    let kept = Dictionary(uniqueKeysWithValues: ratios.map { ($0, ratio) } + [(bytes, size)])
    return .init(
      metrics: metrics, units: Dictionary(uniqueKeysWithValues: metrics.map { ($0, .count) }), warmupIterations: 2,
      maxDuration: longest, maxIterations: samples,
      thresholds: Dictionary(uniqueKeysWithValues: metrics.map { ($0, kept[$0] ?? any) }))
  }
}

extension Benchmark {
  package func read(_ metric: BenchmarkMetric, _ value: Double) { measurement(metric, Int(value.rounded())) }

  package func read(_ metric: BenchmarkMetric, _ value: Double, percentOf other: Double) {
    read(metric, value / other * 100)
  }
}
