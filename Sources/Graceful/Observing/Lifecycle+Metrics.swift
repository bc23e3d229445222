#if Metrics
public import GracefulShutdown
internal import Logging
public import CoreMetrics

extension Lifecycle {
  /// Records what operators ask for with swift-metrics: sampled every few seconds, never written where a session begins
  /// or ends, which costs the same with it and without.
  ///
  /// ```swift
  /// MetricsSystem.bootstrap(factory)   // first: the factory is looked up when this is called
  /// let shop = Lifecycle("shop")
  /// shop.recordMetrics()
  /// ```
  ///
  /// It is there with the trait `Metrics` of this package, which is on unless the package is taken without it
  /// (`.package(…, traits: [])`): then swift-metrics is neither fetched nor built.
  ///
  /// | name | is | dimensions beside `lifecycle` |
  /// |---|---|---|
  /// | `graceful_state` | gauge: 1 for where the whole is, 0 for the others | `state`: declared, starting, running, stopping, finished |
  /// | `graceful_phases` | gauge: how many phases are there | `state`: waiting, starting, ready, restarting, draining, cancelled, ended |
  /// | `graceful_phase_ready` | gauge: 1 when it is ready, else 0 | `phase` |
  /// | `graceful_phase_waiting` | gauge: 1 when something that it requires restarts, else 0 | `phase` |
  /// | `graceful_phase_restarts_total` | counter: how often it was started again for what it did itself | `phase` |
  /// | `graceful_phase_children_live` | gauge: child phases that are open | `phase` |
  /// | `graceful_sessions_live` | gauge: sessions that are open | `phase` |
  /// | `graceful_sessions_admitted_total` | counter | `phase` |
  /// | `graceful_sessions_refused_total` | counter: the caller saw an error | `phase` |
  /// | `graceful_sessions_failed_total` | counter: they threw | `phase` |
  /// | `graceful_sessions_cancelled_total` | counter: cancelled because the time was over, and ended | `phase` |
  /// | `graceful_sessions_abandoned_total` | counter: inside when the wait was over | `phase` |
  /// | `graceful_phase_start_seconds` | timer: from its beginning, or its new beginning, until it is ready | `phase` |
  /// | `graceful_phase_drain_seconds` | timer: from when it is told to drain to its end | `phase`, `end`: drained, endedByItself, cancelled, abandoned, failed |
  /// | `graceful_start_seconds` | timer: until everything is ready, when that comes before a stop | |
  /// | `graceful_stop_seconds` | gauge: since the first request to stop; at last, how long the stop took | |
  /// | `graceful_stop_requests_total` | counter | `who`: signal, code, successor, phaseFailed, phaseEnded, cancellation, serviceGroup, control, file, http |
  /// | `graceful_grace_seconds` | gauge: how long a stop may take | |
  /// | `graceful_uptime_seconds` | gauge: since the run began | |
  ///
  /// A start that a stop cuts short has no timing; one of a phase that is stopped alone before it is ready is not
  /// waited for by `graceful_start_seconds`.
  ///
  /// Only the phases of the graph are named. Child phases and sessions are counted in them, never by their own name:
  /// there may be millions, and each would be a time series. Counters are there from the first sample on, with 0. A
  /// timer is handed over in nanoseconds, with seconds as its preferred unit; a backend that has one unit for all
  /// timers (StatsD: milliseconds) shows that.
  ///
  /// The factory is called by one thread at a time, which is none of Swift's cooperative pool, and may block it: then
  /// samples are left out, and too many timings dropped, but neither a session nor the stop waits. Only at the end, what is
  /// not handed over yet has 0.5 s (an eighth of the grace, when that is less), within the grace; before a forced exit, 50 ms.
  /// Nothing is destroyed at the end: a scrape may come later.
  ///
  /// The first call counts, before `run()`. A second one, and a call once it runs, changes nothing, and the log
  /// says so; for several backends use `MultiplexMetricsHandler`.
  ///
  /// The phases of a lifecycle that a phase holds belong to this one (`search/index`) and are recorded here; a call of
  /// this function on the lifecycle that is held records nothing.
  /// - Parameters:
  ///   - period: From one sample to the next: 10 s unless given, and at least 0.1 s. There is one more as the run begins,
  ///     when a stop is first asked for, and at the end.
  ///   - factory: Where to. The one of `MetricsSystem` unless given.
  ///   - exporter: The phase that carries the metrics away, if there is one, as there is where metrics are pushed. A last sample is taken before it is
  ///     told to drain, and it is told only when the factory has that; if the factory takes longer than 0.1 s (or than a
  ///     quarter of the time that this phase has), it is told all the same. What comes afterwards is recorded, but may be
  ///     carried nowhere. None unless given.
  public func recordMetrics(
    every period: Duration = .seconds(10), in factory: any MetricsFactory = MetricsSystem.factory,
    endingBefore exporter: PhaseHandle? = nil
  ) {
    let writer = MetricWriter(factory: factory)
    let observer = MetricsObserver(
      lifecycle: name, every: max(period.bounded, .milliseconds(100)), lastPhase: exporter?.name,
      snapshot: { [weak self] in self?.snapshot() }, write: { writer.write($0) })
    tell(add(observer), of: "metrics", "recordMetrics")
  }
}
#endif
