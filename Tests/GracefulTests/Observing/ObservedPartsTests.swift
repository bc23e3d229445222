import Graceful
import GracefulTesting
import Synchronization
import Testing

@Suite("Metrics and spans of phases that come back, and of phases that hold others", .timeLimit(.minutes(1)))
struct ObservedPartsTests {
  private let clock = ManualClock()
  private let metrics = RecordingMetrics()
  private let tracer = RecordingTracer()
  private let shop = Lifecycle("shop", grace: .seconds(20), logger: .silent)
  private let newYear: UInt64 = 946_684_800_000_000_000

  @Test("count each restart, and give it a span from when it came back until it is ready")
  func restarts() async {
    let (clock, runs) = (clock, Counter())
    var policy = RestartPolicy.onFailure()
    policy.jitter = 0
    policy.firstDelay = .seconds(2)
    shop.phase("web", restart: policy) { phase in
      let run = runs.next()
      phase.ready()
      clock.recorder.record("web: ready \(run)")
      if run > 1 { return await phase.turnToStop() }
      await clock.recorder.wait(for: "enough")
      throw PhaseScript.Failure("lost")
    }
    shop.recordMetrics(in: metrics)
    shop.recordSpans(with: tracer)
    let recorder = Recorder(of: shop)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready 1")
    await tracer.calls.wait(for: "end start shop")
    clock.advance(by: .seconds(3))
    clock.recorder.record("enough")
    await recorder.wait(for: "web: restarting")
    clock.advance(by: .seconds(2))
    await clock.recorder.wait(for: "web: ready 2")
    await tracer.calls.wait(for: "end restart web")
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(
      tracer.tree(since: newYear) == [
        "0.0–0.0 start shop", "0.0–0.0 start web in start shop", "3.0–5.0 restart web", "5.0–5.0 stop shop",
        "5.0–5.0 stop web in stop shop",
      ])
    #expect(metrics.counters["graceful_phase_restarts_total{lifecycle=shop,phase=web}"] == 1)
    #expect(metrics.timers["graceful_phase_start_seconds{lifecycle=shop,phase=web}"] == [0, 0])
    #expect(metrics.timers["graceful_start_seconds{lifecycle=shop}"] == [0])
  }

  private final class Counter: Sendable {
    private let count = Atomic(0)
    func next() -> Int { count.add(1, ordering: .relaxed).newValue }
  }

  @Test(
    "name the phases of a lifecycle that a phase holds with those of the whole, and tell the one that is held nothing")
  func held() async {
    let engine = Lifecycle("engine", logger: .silent)
    engine.phase("index", script: .obedient, on: clock)
    let (others, spans) = (RecordingMetrics(), RecordingTracer())
    engine.recordMetrics(in: others)
    engine.recordSpans(with: spans)
    let search = shop.phase("search", lifecycle: engine)
    shop.phase("web", requires: search, script: .obedient, on: clock)
    shop.recordMetrics(in: metrics)
    shop.recordSpans(with: tracer)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(metrics.timers["graceful_phase_start_seconds{lifecycle=shop,phase=search/index}"] == [0])
    #expect(tracer["stop search/index"]?.parent == tracer["stop shop"]?.id)
    #expect(others.made.isEmpty && spans.spans.isEmpty)
  }
}
