import Graceful
import GracefulShutdown
import GracefulTesting
import Testing

@Suite("Spans and timings of a start that does not come to its end", .timeLimit(.minutes(1)))
struct StoppedBeforeReadyTests {
  private let clock = ManualClock()
  private let tracer = RecordingTracer()
  private let metrics = RecordingMetrics()
  private let shop = Lifecycle("shop", grace: .seconds(20), logger: .silent)
  /// The manual clock's time of day: the beginning of the year 2000.
  private let newYear: UInt64 = 946_684_800_000_000_000

  /// `web` requires `cache`, which never says that it is ready.
  private func caching() -> PhaseHandle {
    let (clock, shop) = (clock, shop)
    let cache = shop.phase("cache") { phase in
      clock.recorder.record("cache: starting")
      await phase.turnToStop()
    }
    shop.phase("web", requires: cache, script: .obedient, on: clock)
    shop.recordSpans(with: tracer)
    shop.recordMetrics(in: metrics)
    return cache
  }

  private var starts: [String] { metrics.timers.keys.filter { $0.contains("start_seconds") }.sorted() }

  @Test(
    "one that is stopped alone before it is ready, and one that for this never begins, hold up no span of the start")
  func alone() async {
    let cache = caching()
    shop.phase("mail", script: .obedient, on: clock)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "cache: starting")
    await clock.recorder.wait(for: "mail: ready")
    clock.advance(by: .seconds(1))
    shop.requestStop(of: cache)
    await tracer.calls.wait(for: "end start shop")
    await tracer.calls.wait(for: "end stop cache")
    #expect(shop.snapshot().state == .running)
    clock.advance(by: .seconds(1))
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(
      Set(tracer.tree(since: newYear)) == [
        "0.0–1.0 start shop", "0.0–0.0 start mail in start shop", "0.0–1.0 start cache in start shop",
        "1.0–1.0 stop cache", "2.0–2.0 stop shop", "2.0–2.0 stop mail in stop shop",
      ])
    #expect(tracer["start cache"]?.notes.contains("phase.start=stopped before it was ready") == true)
    #expect(tracer["start mail"]?.notes.contains { $0.hasPrefix("phase.start") } == false)
    #expect(
      starts == ["graceful_phase_start_seconds{lifecycle=shop,phase=mail}", "graceful_start_seconds{lifecycle=shop}"])
    #expect(metrics.timers["graceful_start_seconds{lifecycle=shop}"] == [1_000_000_000])
  }

  @Test("one that was stopped before the run never begins, and the start is over without it")
  func beforeTheRun() async {
    let cache = caching()
    shop.phase("mail", script: .obedient, on: clock)
    shop.requestStop(of: cache)
    async let report = shop.run(on: clock)
    await tracer.calls.wait(for: "end start shop")
    #expect(shop.snapshot().state == .running)
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(tracer["start cache"] == nil && tracer["stop cache"] == nil && tracer["start web"] == nil)
    #expect(metrics.timers["graceful_start_seconds{lifecycle=shop}"]?.count == 1)
  }

  @Test("where all were stopped before they were ready, nothing has started: no timing is recorded")
  func nothing() async {
    let cache = caching()
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "cache: starting")
    shop.requestStop(of: cache)
    #expect(await report.exitCode == 0)
    #expect(tracer.tree(since: newYear).allSatisfy { !$0.contains("open") })
    #expect(starts.isEmpty)
  }

  @Test("a stop of the whole says in every span of the start that it was the stop that ended it")
  func whole() async {
    _ = caching()
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "cache: starting")
    shop.requestStop(StopRequest(source: .signal(15)))
    #expect(await report.exitCode == 0)
    #expect(tracer.tree(since: newYear).allSatisfy { !$0.contains("open") })
    #expect(tracer["start shop"]?.notes == ["lifecycle.name=shop", "stop.who=SIGTERM"])
    #expect(tracer["start cache"]?.notes.contains("phase.start=stopped before it was ready") == true)
    #expect(starts.isEmpty)
  }

  @Test("a stop while one waits to be started again ends the span of the new start, which says so")
  func waiting() async {
    let (clock, shop) = (clock, shop)
    shop.phase("consumer", restart: .onFailure()) { _ in throw PhaseScript.Failure("lost") }
    shop.recordSpans(with: tracer)
    shop.recordMetrics(in: metrics)
    async let report = shop.run(on: clock)
    await tracer.calls.wait(for: "begin restart consumer")
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(tracer.tree(since: newYear).allSatisfy { !$0.contains("open") })
    #expect(tracer["restart consumer"]?.notes.contains("phase.start=stopped before it was ready") == true)
    #expect(starts.isEmpty)
  }
}
