import TestHost
@testable import Graceful
import GracefulShutdown
import GracefulTesting
import Logging
import Metrics
import ServiceLifecycle
import Synchronization
import Testing

@Suite("Metrics of a lifecycle", .timeLimit(.minutes(1)))
struct MetricsTests {
  private let clock = ManualClock()
  private let metrics = RecordingMetrics()
  private let shop = Lifecycle("shop", grace: .seconds(20), logger: .silent)

  /// A session that is never ended.
  private final class Kept: Sendable {
    private let session = Mutex<SharedSession?>(nil)
    func keep(_ session: SharedSession) { self.session.withLock { $0 = session } }
  }

  /// The observer that `recordMetrics` adds, at hand: the next sample is only taken when the last one is done.
  private func observed() -> MetricsObserver {
    let writer = MetricWriter(factory: metrics)
    let observer = MetricsObserver(
      lifecycle: "shop", every: .seconds(10), lastPhase: nil, snapshot: { [shop] in shop.snapshot() },
      write: { writer.write($0) })
    #expect(shop.add(observer) == .admitted)
    return observer
  }

  private func sampled(_ observer: MetricsObserver, at uptime: Int, times: Int = 1) async {
    await metrics.calls.wait(for: "graceful_uptime_seconds{lifecycle=shop} \(uptime).0", times: times)
    await eventually { observer.isSettled }
  }

  @Test("are sampled on a schedule, and at the end say exactly what happened")
  func exact() async throws {
    let (clock, kept) = (clock, Kept())
    let database = shop.phase("database", script: .obedient, on: clock)
    shop.phase("web", requires: database, limit: .seconds(5)) { phase in
      await clock.pause(for: .seconds(3), recording: "web: starting")
      phase.ready()
      kept.keep(try phase.beginSession("kept").shared())
      for _ in 0..<4 { try phase.beginSession().end() }
      try? await phase.withSession("bad") { throw PhaseScript.Failure("no") }
      clock.recorder.record("web: ready")
      await clock.recorder.wait(for: "enough")
      await withTaskGroup { group in
        group.addTask {
          try? await phase.withSession("slow", cancellable: true) {
            clock.recorder.record("slow: inside")
            try await phase.withCancellation(at: .cancelled) { for await _ in AsyncStream<Int>.makeStream().stream {} }
            try Task.checkCancellation()
          }
        }
        group.addTask {
          try? await phase.withPhase("child") { child in
            clock.recorder.record("child: open")
            await child.drainRequested()
          }
        }
        await clock.recorder.wait(for: "slow: inside")
        await clock.recorder.wait(for: "child: open")
        clock.recorder.record("web: busy")
        await phase.drainRequested()
        clock.recorder.record("web: drains")
      }
      #expect(throws: PhaseError.self) { try phase.beginSession().end() }
      clock.recorder.record("web: one is left")
      await phase.turnToStop()
    }
    let observer = observed()
    async let report = shop.run(on: clock)

    await clock.recorder.wait(for: "web: starting")
    await sampled(observer, at: 0)
    clock.advance(by: .seconds(3))
    await clock.recorder.wait(for: "web: ready")
    clock.advance(by: .seconds(7))
    await sampled(observer, at: 10)
    #expect(metrics.gauges["graceful_state{lifecycle=shop,state=running}"] == 1)
    #expect(metrics.gauges["graceful_phase_ready{lifecycle=shop,phase=web}"] == 1)
    #expect(metrics.gauges["graceful_sessions_live{lifecycle=shop,phase=web}"] == 1)
    #expect(metrics.counters["graceful_sessions_admitted_total{lifecycle=shop,phase=web}"] == 6)
    #expect(metrics.counters["graceful_sessions_refused_total{lifecycle=shop,phase=web}"] == 0)
    #expect(metrics.timers["graceful_start_seconds{lifecycle=shop}"] == [3_000_000_000])

    clock.recorder.record("enough")
    await clock.recorder.wait(for: "web: busy")
    clock.advance(by: .seconds(10))
    await sampled(observer, at: 20)
    #expect(metrics.gauges["graceful_sessions_live{lifecycle=shop,phase=web}"] == 2)
    #expect(metrics.gauges["graceful_phase_children_live{lifecycle=shop,phase=web}"] == 1)

    shop.requestStop(StopRequest(source: .signal(15)))
    await clock.recorder.wait(for: "web: drains")
    await sampled(observer, at: 20, times: 2)
    // Its time to drain, then that to be cancelled.
    clock.advance(by: .seconds(5))
    await clock.recorder.wait(for: "web: one is left")
    while clock.advanceToNext(), !clock.recorder.events.contains("database: turn") {
      await Task.yield()
      if shop.snapshot().phases[1].end != nil { break }
    }
    #expect(await report.exitCode == 124)

    #expect(
      metrics.counters.filter { $0.value > 0 } == [
        "graceful_sessions_admitted_total{lifecycle=shop,phase=web}": 7,
        "graceful_sessions_refused_total{lifecycle=shop,phase=web}": 1,
        "graceful_sessions_failed_total{lifecycle=shop,phase=web}": 1,
        "graceful_sessions_cancelled_total{lifecycle=shop,phase=web}": 1,
        "graceful_sessions_abandoned_total{lifecycle=shop,phase=web}": 1,
        "graceful_stop_requests_total{lifecycle=shop,who=signal}": 1,
      ])
    let took = await report.took
    #expect(
      metrics.timers == [
        "graceful_phase_start_seconds{lifecycle=shop,phase=database}": [0],
        "graceful_phase_start_seconds{lifecycle=shop,phase=web}": [3_000_000_000],
        "graceful_start_seconds{lifecycle=shop}": [3_000_000_000],
        "graceful_phase_drain_seconds{lifecycle=shop,phase=web,end=abandoned}": [
          Int64(await report.phases[1].drainedFor! / .nanoseconds(1))
        ],
        "graceful_phase_drain_seconds{lifecycle=shop,phase=database,end=drained}": [0],
      ])
    #expect(metrics.units.values.allSatisfy { $0 == .seconds })
    #expect(metrics.gauges["graceful_stop_seconds{lifecycle=shop}"] == took / .seconds(1))
    #expect(metrics.gauges["graceful_grace_seconds{lifecycle=shop}"] == 20)
    #expect(metrics.gauges["graceful_state{lifecycle=shop,state=finished}"] == 1)
    #expect(metrics.gauges["graceful_state{lifecycle=shop,state=running}"] == 0)
    #expect(metrics.gauges["graceful_phases{lifecycle=shop,state=ended}"] == 2)
    #expect(metrics.gauges["graceful_phases{lifecycle=shop,state=ready}"] == 0)
    // Nothing is made twice, and child phases and sessions have no name.
    #expect(Set(metrics.made).count == metrics.made.count)
    #expect(!metrics.made.contains { $0.contains("child=") || $0.contains("/child") || $0.contains("kept") })
  }

  @Test("have a last sample before the phase that carries them away is told to drain, and that phase waits for it")
  func exporter() async {
    for _ in 0..<20 {
      let (clock, metrics) = (ManualClock(), RecordingMetrics())
      let shop = Lifecycle("shop", logger: .silent)
      let exporter = shop.phase("exporter") { phase in
        phase.ready()
        await phase.drainRequested()
        metrics.calls.record("exporter: carries away")
      }
      shop.phase("web", requires: exporter) { phase in
        phase.ready()
        await phase.turnToStop()
        try? await phase.withSession("last") {}
      }
      shop.recordMetrics(in: metrics, endingBefore: exporter)
      let recorder = Recorder(of: shop)
      async let report = shop.run(on: clock)
      await recorder.wait(for: "web: ready")
      shop.requestStop()
      _ = await report
      #expect(
        metrics.calls.saw(
          inOrder: "graceful_phases{lifecycle=shop,state=ended} 1.0", "exporter: carries away",
          "graceful_phases{lifecycle=shop,state=ended} 2.0"))
      #expect(
        metrics.calls.saw(
          inOrder: "graceful_phase_drain_seconds{lifecycle=shop,phase=web,end=drained} 0", "exporter: carries away"))
    }
  }

  @Test("are not sampled while the last sample still runs, and a factory that blocks holds up no stop")
  func blocked() async {
    let (gate, clock) = (BlockingGate(), clock)
    let snapshots = Atomic(0)
    let counted = MetricsObserver(lifecycle: "shop", every: .seconds(10), lastPhase: nil) { [shop] in
      snapshots.add(1, ordering: .relaxed)
      return shop.snapshot()
    } write: { _ in
      gate.pass()
    }
    #expect(shop.add(counted) == .admitted)
    shop.phase("web", script: .obedient, on: clock)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    await gate.waitUntilBlocked()
    clock.advance(by: .seconds(3600))
    #expect(snapshots.load(ordering: .relaxed) == 1)
    // The stop goes its way; only the end waits, for half a second at most.
    shop.requestStop()
    await clock.recorder.wait(for: "web: ended")
    await eventually { shop.snapshot().state == .finished }
    gate.isOpen = true
    #expect(await report.exitCode == 0)
    await eventually { counted.isSettled }
    // The one at the first request, and the last one.
    #expect(snapshots.load(ordering: .relaxed) == 3)
  }

  @Test("are recorded by the first call before the run, and by no other; the log says so")
  func calls() async {
    let count = CountingLog.Count()
    var logger = CountingLog.logger(count)
    logger.logLevel = .error
    let shop = Lifecycle("shop", logger: logger)
    let (second, third) = (RecordingMetrics(), RecordingMetrics())
    shop.phase("web", script: .obedient, on: clock)
    shop.recordMetrics(every: .seconds(-5), in: metrics)
    shop.recordMetrics(in: second)
    #expect(count.value == 1)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    shop.recordMetrics(in: third)
    #expect(count.value == 2)
    // Less than a tenth of a second is a tenth of a second.
    clock.advance(by: .milliseconds(99))
    #expect(!metrics.calls.events.contains("graceful_uptime_seconds{lifecycle=shop} 0.1"))
    // And again, as long as the sample of the beginning has not been written: meanwhile no other is taken.
    clock.advance(by: .milliseconds(1))
    await eventually {
      clock.advance(by: .milliseconds(100))
      return metrics.calls.events.contains {
        $0.hasPrefix("graceful_uptime_seconds{lifecycle=shop} ") && !$0.hasSuffix(" 0.0")
      }
    }
    shop.requestStop()
    _ = await report
    shop.recordMetrics(in: third)
    #expect(second.made.isEmpty && third.made.isEmpty)
  }

  @Test("of a wrong configuration are those of something that never began")
  func mistake() async {
    shop.phase("web") { _ in }
    shop.phase("web") { _ in }
    shop.recordMetrics(in: metrics)
    #expect(await shop.run(on: clock).exitCode == 78)
    #expect(metrics.gauges["graceful_state{lifecycle=shop,state=finished}"] == 1)
    #expect(metrics.timers.isEmpty)
  }

  @Test("are recorded of a lifecycle inside a ServiceGroup, too")
  func group() async throws {
    let (shop, metrics) = (shop, metrics)
    shop.phase("web") { phase in
      phase.ready()
      await phase.turnToStop()
    }
    shop.recordMetrics(in: metrics)
    let recorder = Recorder(of: shop)
    let group = ServiceGroup(services: [shop.service()], logger: .silent)
    async let end: Void = group.run()
    await recorder.wait(for: "web: ready")
    await group.triggerGracefulShutdown()
    try await end
    #expect(metrics.counters["graceful_stop_requests_total{lifecycle=shop,who=serviceGroup}"] == 1)
    #expect(metrics.gauges["graceful_state{lifecycle=shop,state=finished}"] == 1)
  }
}
