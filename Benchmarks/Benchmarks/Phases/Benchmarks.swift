import Benchmark
import Measuring

let benchmarks: @Sendable () -> Void = {
  compare("10000 opened in a chain", 10_000, ChildPhases.chain, bare: BareTasks.chain, foreign: ForeignGroups.chain)
  compare(
    "100000 opened beside each other", 100_000, ChildPhases.siblings, bare: BareTasks.siblings,
    foreign: ForeignGroups.added)
  for count in [10, 1_000, 10_000] {
    compare("graph, chain of \(count)", count, Graphs.chain, bare: BareTasks.chain, foreign: ForeignGroups.services)
    compare(
      "graph, \(count) beside each other", count, Graphs.siblings, bare: BareTasks.siblings,
      foreign: ForeignGroups.services)
    compare(
      "graph, \(count) foreign services", count, Graphs.services, bare: BareTasks.siblings,
      foreign: ForeignGroups.services)
  }
}

/// Opens and ends so many in each way, one way after the other, in one sample.
private func compare(
  _ title: String, _ count: Int, _ ours: @escaping (Int) async throws -> Laps,
  bare: @escaping (Int) async throws -> Laps, foreign: @escaping (Int) async throws -> Laps
) {
  Benchmark(
    title, configuration: Reading.configuration(Reading.laps, samples: 20, tolerance: 200, atMost: .seconds(120))
  ) { benchmark in
    // A few of them are over before the clock has moved: so many rounds, of which the mean counts.
    let rounds = max(1, 1_000 / count)
    let (bare, foreign, ours) = (
      try await mean(rounds) { try await bare(count) }, try await mean(rounds) { try await foreign(count) },
      try await mean(rounds) { try await ours(count) }
    )
    benchmark.read(Reading.up, ours.up.microseconds)
    benchmark.read(Reading.upBare, bare.up.microseconds)
    benchmark.read(Reading.upForeign, foreign.up.microseconds)
    benchmark.read(Reading.upOfBare, ours.up.microseconds, percentOf: bare.up.microseconds)
    benchmark.read(Reading.upOfForeign, ours.up.microseconds, percentOf: foreign.up.microseconds)
    benchmark.read(Reading.down, ours.down.microseconds)
    benchmark.read(Reading.downBare, bare.down.microseconds)
    benchmark.read(Reading.downForeign, foreign.down.microseconds)
    benchmark.read(Reading.downOfBare, ours.down.microseconds, percentOf: bare.down.microseconds)
    benchmark.read(Reading.downOfForeign, ours.down.microseconds, percentOf: foreign.down.microseconds)
    benchmark.read(Reading.bytes, Double(ours.bytes) / Double(count))
    benchmark.read(Reading.bytesBare, Double(bare.bytes) / Double(count))
    benchmark.read(Reading.bytesForeign, Double(foreign.bytes) / Double(count))
  }
}

private func mean(_ rounds: Int, _ run: () async throws -> Laps) async rethrows -> Laps {
  var (up, down, bytes) = (Duration.zero, Duration.zero, 0)
  for _ in 0..<rounds {
    let laps = try await run()
    up += laps.up
    down += laps.down
    bytes += laps.bytes
  }
  return Laps(up: up / rounds, down: down / rounds, bytes: bytes / rounds)
}
