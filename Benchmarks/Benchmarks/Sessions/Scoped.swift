import Benchmark
import Graceful
import Measuring
import ServiceLifecycle

private let metrics = [Reading.each, Reading.pair, Reading.ofPair, Reading.foreign, Reading.ofForeign]

/// Three in one sample: in the task of a phase, in the task of a service, and the bare atomic pair.
private final class Bench {
  let ours: OpenPhase
  let theirs: ForeignService
  private let pair = AtomicPair()

  init() async {
    ours = await .open()
    theirs = .open()
  }

  func read(
    _ benchmark: Benchmark, times: Int, ours: @escaping @Sendable (Int) async throws -> Void,
    foreignTimes: Int, theirs: @escaping @Sendable (Int) async throws -> Void
  ) async throws {
    let bare = Stopwatch.each(of: times) { pair.addAndSubtract(times) }
    let each = try await self.ours.inside { try await Stopwatch.each(of: times) { try await ours(times) } }
    let foreign = try await self.theirs.inside {
      try await Stopwatch.each(of: foreignTimes) { try await theirs(foreignTimes) }
    }
    benchmark.read(Reading.each, each)
    benchmark.read(Reading.pair, bare)
    benchmark.read(Reading.ofPair, each, percentOf: bare)
    benchmark.read(Reading.foreign, foreign)
    benchmark.read(Reading.ofForeign, each, percentOf: foreign)
  }

  func close() async {
    await ours.close()
    await theirs.close()
  }
}

@Sendable private func sessions(_ times: Int) async throws {
  for _ in 0..<times { try await withSession { await work() } }
}

@Sendable private func named(_ times: Int) async throws {
  for _ in 0..<times { try await withSession("POST /orders") { await work() } }
}

@Sendable private func cancellableSessions(_ times: Int) async throws {
  for _ in 0..<times { try await withSession(cancellable: true) { await work() } }
}

/// Found through the task, with so many others that wait in theirs; beside as many handlers.
func scoped(live: Int) {
  var bench: Bench?
  let scopes = LiveScopes()
  var waiting: [Task<Void, any Error>] = []
  // It looks through a list: this many take tenths of a second.
  let foreignTimes = live < 1_000 ? 10_000 : live < 10_000 ? 5_000 : live < 100_000 ? 500 : 50
  Benchmark("scoped,_\(live)_live", configuration: Reading.configuration(metrics)) { benchmark in
    try await bench?.read(
      benchmark, times: 10_000, ours: sessions, foreignTimes: foreignTimes, theirs: ForeignService.handlers)
  } setup: {
    let open = await Bench()
    waiting += try await open.ours.inside {
      (0..<live).map { _ in Task { try await withSession { await scopes.wait() } } }
    }
    waiting += try await open.theirs.inside {
      (0..<live).map { _ in
        Task {
          await withGracefulShutdownHandler {
            await scopes.wait()
          } onGracefulShutdown: {
          }
        }
      }
    }
    await scopes.reach(2 * live)
    bench = open
  } teardown: {
    // A hundred thousand handlers take seconds to end.
    scopes.letGo()
    for task in waiting { try await task.value }
    await bench?.close()
  }
}

func scopedOnAllCores() {
  var bench: Bench?
  let pair = AtomicPair()
  Benchmark(
    "scoped,_all_cores",
    configuration: Reading.configuration(metrics + [Reading.ofOneThread])
  ) { benchmark in
    guard let bench else { return }
    let times = 10_000
    let bare = Stopwatch.each(of: times) { pair.addAndSubtract(times) }
    let alone = try await bench.ours.inside { try await Stopwatch.each(of: times) { try await sessions(times) } }
    let each = try await bench.ours.inside { try await Cores.each(of: times) { try await sessions(times) } }
    let foreign = try await bench.theirs.inside {
      try await Cores.each(of: times) { await ForeignService.handlers(times) }
    }
    benchmark.read(Reading.each, each)
    benchmark.read(Reading.pair, bare)
    benchmark.read(Reading.ofPair, each, percentOf: bare)
    benchmark.read(Reading.foreign, foreign)
    benchmark.read(Reading.ofForeign, each, percentOf: foreign)
    benchmark.read(Reading.ofOneThread, each, percentOf: alone)
  } setup: {
    bench = await Bench()
  } teardown: {
    await bench?.close()
  }
}

func scopedAndNamed() {
  var bench: Bench?
  Benchmark("scoped,_with_a_name", configuration: Reading.configuration(metrics)) { benchmark in
    try await bench?.read(
      benchmark, times: 10_000, ours: named, foreignTimes: 10_000, theirs: ForeignService.handlers)
  } setup: {
    bench = await Bench()
  } teardown: {
    await bench?.close()
  }
}

/// In a task of its own; beside what cancels its task at a shutdown there.
func cancellable() {
  var bench: Bench?
  Benchmark("cancellable", configuration: Reading.configuration(metrics, tolerance: 150)) { benchmark in
    try await bench?.read(
      benchmark, times: 2_000, ours: cancellableSessions, foreignTimes: 2_000, theirs: ForeignService.cancellables)
  } setup: {
    bench = await Bench()
  } teardown: {
    await bench?.close()
  }
}
