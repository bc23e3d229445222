import TestHost
import Graceful
import GracefulShutdown
import GracefulTesting
import Logging
import Testing
import Tracing

@Suite("Spans of a lifecycle", .timeLimit(.minutes(1)))
struct SpanTests {
  private let clock = ManualClock()
  private let tracer = RecordingTracer()
  private let shop = Lifecycle("shop", grace: .seconds(20), logger: .silent)
  /// The manual clock's time of day: the beginning of the year 2000.
  private let newYear: UInt64 = 946_684_800_000_000_000

  @Test("a start and a stop, with a child for each phase, at the instants at which it happened")
  func wellBehaved() async {
    let database = shop.phase("database", script: .slowStart(.seconds(2)), on: clock)
    shop.phase("web", requires: database, script: .slowStart(.seconds(3)), on: clock)
    shop.recordSpans(with: tracer)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "database: starting")
    clock.advance(by: .seconds(2))
    await clock.recorder.wait(for: "web: starting")
    clock.advance(by: .seconds(3))
    await clock.recorder.wait(for: "web: ready")
    await tracer.calls.wait(for: "end start shop")
    clock.advance(by: .seconds(5))
    shop.requestStop(StopRequest(source: .signal(15), why: "deploy"))
    #expect(await report.exitCode == 0)
    #expect(
      tracer.tree(since: newYear) == [
        "0.0–5.0 start shop", "0.0–2.0 start database in start shop", "2.0–5.0 start web in start shop",
        "10.0–10.0 stop shop", "10.0–10.0 stop web in stop shop", "10.0–10.0 stop database in stop shop",
      ])
    #expect(tracer["start shop"]?.notes == ["lifecycle.name=shop"])
    #expect(tracer["start web"]?.notes == ["lifecycle.name=shop", "phase.name=web"])
    #expect(tracer["stop web"]?.notes == ["lifecycle.name=shop", "phase.end=drained", "phase.name=web"])
    #expect(
      tracer["stop shop"]?.notes == ["exit.code=0", "lifecycle.name=shop", "stop.who=SIGTERM", "stop.why=deploy"])
  }

  @Test("one that hangs is an error in its span and in that of the stop; those that wait for it come later")
  func straggler() async {
    let database = shop.phase("database", script: .obedient, on: clock)
    shop.phase("web", requires: database, limit: .seconds(5), script: .ignoresDrain, on: clock)
    shop.recordSpans(with: tracer)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    shop.requestStop()
    await clock.recorder.wait(for: "web: turn")
    clock.advance(by: .seconds(5))
    #expect(await report.exitCode == 124)
    #expect(
      tracer.tree(since: newYear).suffix(3) == [
        "0.0–5.0 stop shop !web: cancelled", "0.0–5.0 stop web in stop shop !cancelled",
        "5.0–5.0 stop database in stop shop",
      ])
    #expect(tracer["stop shop"]?.notes.contains("stragglers=web") == true)
    #expect(tracer["stop web"]?.notes.contains("phase.end=cancelled") == true)
  }

  @Test("a phase that fails on its way up is an error of the start, and says who asked for the stop")
  func failedStart() async {
    let database = shop.phase("database", script: .obedient, on: clock)
    shop.phase("web", requires: database, script: .failsAtStart("no port"), on: clock)
    shop.recordSpans(with: tracer)
    #expect(await shop.run(on: clock).exitCode == 1)
    #expect(
      tracer.tree(since: newYear) == [
        "0.0–0.0 start shop !phase web, which failed: no port", "0.0–0.0 start database in start shop",
        "0.0–0.0 start web in start shop !no port", "0.0–0.0 stop shop !phase web, which failed: no port",
        "0.0–0.0 stop web in stop shop !no port", "0.0–0.0 stop database in stop shop",
      ])
    #expect(tracer["stop shop"]?.notes.contains("stop.who=phase web, which failed") == true)
  }

  @Test("a stop during the start ends the span of the start when nobody is on the way up any more")
  func stoppedStart() async {
    let database = shop.phase("database", script: .slowStart(.seconds(2)), on: clock)
    shop.phase("web", requires: database, script: .obedient, on: clock)
    shop.recordSpans(with: tracer)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "database: starting")
    clock.advance(by: .seconds(1))
    shop.requestStop()
    await tracer.calls.wait(for: "end start shop")
    clock.advance(by: .seconds(1))
    #expect(await report.exitCode == 0)
    #expect(
      tracer.tree(since: newYear) == [
        "0.0–1.0 start shop", "0.0–1.0 start database in start shop", "1.0–2.0 stop shop",
        "1.0–2.0 stop database in stop shop",
      ])
  }

  @Test("the span of the stop ends before the phase that carries spans away is told, and that phase waits for it")
  func exporter() async {
    for _ in 0..<20 {
      let (clock, tracer) = (ManualClock(), RecordingTracer())
      let shop = Lifecycle("shop", logger: .silent)
      let exporter = shop.phase("exporter") { phase in
        phase.ready()
        await phase.drainRequested()
        tracer.calls.record("exporter: carries away")
      }
      shop.phase("web", requires: exporter, script: .obedient, on: clock)
      shop.recordSpans(with: tracer, endingBefore: exporter)
      async let report = shop.run(on: clock)
      await clock.recorder.wait(for: "web: ready")
      shop.requestStop()
      #expect(await report.exitCode == 0)
      #expect(tracer.calls.saw(inOrder: "end stop web", "end stop shop", "exporter: carries away", "end stop exporter"))
      #expect(tracer["stop exporter"]?.parent == tracer["stop shop"]?.id)
    }
  }

  private func returning() async -> LifecycleReport {
    let report = await shop.run(on: clock)
    clock.recorder.record("returned")
    return report
  }

  @Test("a tracer that blocks holds up the phase that waits for it no longer than a tenth of a second, and no other")
  func blocked() async {
    let gate = BlockingGate()
    let tracer = RecordingTracer { gate.pass() }
    let exporter = shop.phase("exporter", script: .obedient, on: clock)
    shop.phase("web", requires: exporter, script: .obedient, on: clock)
    shop.recordSpans(with: tracer, endingBefore: exporter)
    let recorder = Recorder(of: shop)
    async let report = returning()
    await clock.recorder.wait(for: "web: ready")
    await gate.waitUntilBlocked()
    shop.requestStop()
    await clock.recorder.wait(for: "web: ended")
    await recorder.wait(for: "exporter: draining")
    clock.advance(by: .milliseconds(99))
    #expect(!clock.recorder.events.contains("exporter: turn"))
    clock.advance(by: .milliseconds(1))
    await clock.recorder.wait(for: "exporter: ended")
    await recorder.wait(for: "finished")
    // The end waits for half a second; what was not handed over until then, may be later.
    await eventually { [clock] in
      clock.advance(by: .milliseconds(500))
      return clock.recorder.events.contains("returned")
    }
    let ended = await report
    #expect(ended.exitCode == 0 && ended.took == .milliseconds(100))
    gate.isOpen = true
    await tracer.calls.wait(for: "end stop exporter")
    // As late as the tracer was, the instants are right.
    #expect(
      tracer.tree(since: newYear) == [
        "0.0–0.0 start shop", "0.0–0.0 start exporter in start shop", "0.0–0.0 start web in start shop",
        "0.0–0.0 stop shop", "0.0–0.0 stop web in stop shop", "0.0–0.1 stop exporter in stop shop",
      ])
  }

  @Test("nothing is bound to the bodies: a span that one begins is nobody's child")
  func unbound() async {
    let tracer = tracer
    shop.phase("web") { phase in
      phase.ready()
      tracer.startSpan("request").end()
      await phase.turnToStop()
    }
    shop.recordSpans(with: tracer)
    async let report = shop.run(on: clock)
    await tracer.calls.wait(for: "end request")
    shop.requestStop()
    _ = await report
    #expect(tracer["request"]?.parent == nil)
    #expect(tracer["start web"]?.parent == tracer["start shop"]?.id)
  }

  @Test("a phase that is stopped alone has a span of its own, and the whole has none before it stops")
  func alone() async {
    let cache = shop.phase("cache", script: .obedient, on: clock)
    shop.phase("web", script: .obedient, on: clock)
    shop.recordSpans(with: tracer)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "cache: ready")
    await clock.recorder.wait(for: "web: ready")
    shop.requestStop(of: cache)
    await tracer.calls.wait(for: "end stop cache")
    #expect(tracer["stop cache"]?.parent == nil)
    #expect(tracer["stop shop"] == nil)
    shop.requestStop()
    _ = await report
    #expect(tracer["stop web"]?.parent == tracer["stop shop"]?.id)
  }

  @Test("a wrong configuration is an error of the start, and there is no stop")
  func mistake() async {
    shop.phase("", requires: .nothing) { _ in }
    shop.recordSpans(with: tracer)
    let report = await shop.run(on: clock)
    #expect(tracer.tree(since: newYear) == ["0.0–0.0 start shop !\(report.mistakes[0])"])
  }

  @Test("are recorded by the first call before the run, and by no other; the log says so")
  func calls() async {
    let count = CountingLog.Count()
    var logger = CountingLog.logger(count)
    logger.logLevel = .error
    let shop = Lifecycle("shop", logger: logger)
    let (second, third) = (RecordingTracer(), RecordingTracer())
    shop.phase("web", script: .obedient, on: clock)
    shop.recordSpans(with: tracer)
    shop.recordSpans(with: second)
    #expect(count.value == 1)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    shop.recordSpans(with: third)
    #expect(count.value == 2)
    shop.requestStop()
    _ = await report
    #expect(tracer.spans.count == 4 && second.spans.isEmpty && third.spans.isEmpty)
  }
}
