import Benchmark
import Measuring

let benchmarks: @Sendable () -> Void = {
  compare("10000_opened_in_a_chain", 10_000, ChildPhases.chain, bare: BareTasks.chain, foreign: ForeignGroups.chain)
  compare(
    "10000_opened_beside_each_other", 10_000, ChildPhases.siblings, bare: BareTasks.siblings,
    foreign: ForeignGroups.added)
  // To add as many services to a group that runs takes more than a minute.
  compare("100000_opened_beside_each_other", 100_000, ChildPhases.siblings, bare: BareTasks.siblings)
  for count in [10, 1_000, 10_000] {
    compare("graph,_chain_of_\(count)", count, Graphs.chain, bare: BareTasks.chain, foreign: ForeignGroups.services)
    compare(
      "graph,_\(count)_beside_each_other", count, Graphs.siblings, bare: BareTasks.siblings,
      foreign: ForeignGroups.services)
    compare(
      "graph,_\(count)_foreign_services", count, Graphs.services, bare: BareTasks.siblings,
      foreign: ForeignGroups.services)
  }
}

/// Opens and ends so many in each way, one way after the other, in one sample.
private func compare(
  _ title: String, _ count: Int, _ ours: @escaping (Int) async throws -> Laps,
  bare: @escaping (Int) async throws -> Laps, foreign: ((Int) async throws -> Laps)? = nil
) {
  let metrics = Reading.laps + (foreign == nil ? [] : Reading.lapsForeign)
  Benchmark(
    title,
    configuration: Reading.configuration(metrics, samples: 20, tolerance: 200, bytesWithin: 500, atMost: .seconds(120))
  ) { benchmark in
    // A few of them are over before the clock has moved: so many rounds, of which the mean counts.
    let rounds = max(1, 1_000 / count)
    let bare = try await mean(rounds) { try await bare(count) }
    let ours = try await mean(rounds) { try await ours(count) }
    benchmark.read(Reading.up, ours.up.microseconds)
    benchmark.read(Reading.down, ours.down.microseconds)
    benchmark.read(Reading.bytes, Double(ours.bytes) / Double(count))
    benchmark.read(Reading.upBare, bare.up.microseconds)
    benchmark.read(Reading.downBare, bare.down.microseconds)
    benchmark.read(Reading.bytesBare, Double(bare.bytes) / Double(count))
    benchmark.read(Reading.upOfBare, ours.up.microseconds, percentOf: bare.up.microseconds)
    benchmark.read(Reading.downOfBare, ours.down.microseconds, percentOf: bare.down.microseconds)
    guard let foreign else { return }
    let theirs = try await mean(rounds) { try await foreign(count) }
    benchmark.read(Reading.upForeign, theirs.up.microseconds)
    benchmark.read(Reading.downForeign, theirs.down.microseconds)
    benchmark.read(Reading.bytesForeign, Double(theirs.bytes) / Double(count))
    benchmark.read(Reading.upOfForeign, ours.up.microseconds, percentOf: theirs.up.microseconds)
    benchmark.read(Reading.downOfForeign, ours.down.microseconds, percentOf: theirs.down.microseconds)
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
