#if Tracing
public import GracefulShutdown
public import Tracing

extension Lifecycle {
  /// Records the start and the stop as spans of swift-distributed-tracing.
  ///
  /// ```swift
  /// InstrumentationSystem.bootstrap(tracer)   // first: the tracer is looked up when this is called
  /// let exporter = shop.phase("telemetry", service: telemetry)
  /// let web = shop.phase("web", requires: exporter, service: WebServer())
  /// shop.recordSpans(endingBefore: exporter)
  /// ```
  ///
  /// It is there with the trait `Tracing` of this package, which is on unless the package is taken without it
  /// (`.package(…, traits: [])`): then swift-distributed-tracing is neither fetched nor built.
  ///
  /// `start shop`, from the beginning of the run until every phase is ready, has a child `start web` for each phase,
  /// from when its body is called until it is ready. `stop shop`, from the first request to the end, has a child
  /// `stop web` for each phase, from when it is told to drain until it has ended. A stop that comes during the start
  /// ends the span of the start as soon as no phase is on its way up; a phase that is stopped alone before it is ready is
  /// not waited for. A phase that comes back and is started again has a span `restart web` from then until it is ready;
  /// like that of a phase that is stopped alone it has no parent, unless the whole still starts. Child phases have
  /// none: there may be millions. These attributes are the keys of the log: `lifecycle.name`, `phase.name`, at the end
  /// of a phase `phase.end`, of a phase's start that a stop cut short `phase.start`, of the stop `stop.who` (also at
  /// the end of a start that it cut short) and `stop.why`, at its end `exit.code` and `stragglers`, and `error` with
  /// what went wrong. A span's status is an error when its phase failed, was cancelled or abandoned; that of the stop,
  /// when the exit code is not 0; that of the start, when a phase failed before everything was ready.
  ///
  /// Nothing is bound to the tasks of the phases. Whatever ran below a bound span of the start would be its child:
  /// every request of the program's life, in one trace that never ends, although its root ended long ago. So a span
  /// that a request or a phase's body begins is a root of its own, as without this.
  ///
  /// Each instant is the one at which it happened, however late the tracer is called. Within one tree they come from
  /// the monotonic clock, and the clock on the wall is read once, at its root: setting it tears no tree apart.
  ///
  /// The tracer is called by one thread at a time, which is none of Swift's cooperative pool, and may block it: too
  /// many spans are then dropped, but the stop does not wait. Only at the end, what is not handed over yet has 0.5 s
  /// (an eighth of the grace, when that is less), within the grace; before a forced exit, 50 ms.
  ///
  /// The first call counts, before `run()`. A second one, and a call once it runs, changes nothing, and the log
  /// says so; for several backends use `MultiplexInstrument`.
  ///
  /// The phases of a lifecycle that a phase holds belong to this one (`search/index`) and are recorded here; a call of
  /// this function on the lifecycle that is held records nothing.
  /// - Parameters:
  ///   - tracer: Where to. The one of `InstrumentationSystem` unless given.
  ///   - exporter: The phase that carries the spans away, which mostly stops last itself. The span of the stop
  ///     ends before this one is told to drain, and so have ended those of all that require it; it is told only when the
  ///     tracer has them, or when that takes longer than 0.1 s (or than a quarter of the time that this phase has). What
  ///     comes afterwards, its own stop and that of what it requires, is recorded, but may be carried nowhere; and the span
  ///     of the stop has no `exit.code`, since that is not known yet. Without one the span of the stop ends at the end of
  ///     all: then the tracer must outlive the run.
  public func recordSpans(
    with tracer: any Tracer = InstrumentationSystem.tracer, endingBefore exporter: PhaseHandle? = nil
  ) {
    let writer = SpanWriter(tracer: tracer)
    let observer = SpanObserver(lifecycle: name, lastPhase: exporter?.name) { writer.perform($0, $1) }
    tell(add(observer), of: "spans", "recordSpans")
  }
}
#endif
