import Benchmark
import Graceful
import Measuring
import ServiceLifecycle

private let metrics = [Reading.each, Reading.pair, Reading.ofPair]

/// On a phase at hand that drains: the error is made, thrown and caught.
func refusal() {
  var draining: OpenPhase?
  let pair = AtomicPair()
  let times = 50_000
  Benchmark("refusal", configuration: Reading.configuration(metrics)) { benchmark in
    guard let phase = draining?.phase else { return }
    let bare = Stopwatch.each(of: times) { pair.addAndSubtract(times) }
    var refused = 0
    let each = Stopwatch.each(of: times) {
      for _ in 0..<times { do { try phase.beginSession().end() } catch { refused += 1 } }
    }
    guard refused == times * Stopwatch.rounds else { return benchmark.error("only \(refused) were refused") }
    benchmark.read(Reading.each, each)
    benchmark.read(Reading.pair, bare)
    benchmark.read(Reading.ofPair, each, percentOf: bare)
  } setup: {
    draining = await .draining()
  } teardown: {
    await draining?.close()
  }
}

/// swift-service-lifecycle refuses nothing: while it shuts down, the handler is called and the operation runs.
func refusalScoped() {
  var draining: (ours: OpenPhase, theirs: ForeignService)?
  let pair = AtomicPair()
  let times = 10_000
  Benchmark(
    "refusal,_scoped",
    configuration: Reading.configuration(metrics + [Reading.foreign, Reading.ofForeign])
  ) { benchmark in
    guard let draining else { return }
    let bare = Stopwatch.each(of: times) { pair.addAndSubtract(times) }
    let each = try await draining.ours.inside {
      await Stopwatch.each(of: times) {
        for _ in 0..<times { _ = try? await withSession { fatalError("not refused") } }
      }
    }
    let foreign = try await draining.theirs.inside {
      await Stopwatch.each(of: times) { await ForeignService.handlers(times) }
    }
    benchmark.read(Reading.each, each)
    benchmark.read(Reading.pair, bare)
    benchmark.read(Reading.ofPair, each, percentOf: bare)
    benchmark.read(Reading.foreign, foreign)
    benchmark.read(Reading.ofForeign, each, percentOf: foreign)
  } setup: {
    draining = (await .draining(), try await .draining())
  } teardown: {
    await draining?.ours.close()
    await draining?.theirs.close()
  }
}
