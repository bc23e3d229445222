import Metrics
import Tracing

/// A backend that never comes back: its caller is stuck.
struct StuckBackend: MetricsFactory, Tracer {
  private func hang() {
    BlockedProgram.say("blocked")
    BlockedProgram.blockForEver()
  }

  func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    hang()
    return NOOPMetricsHandler.instance
  }
  func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    hang()
    return NOOPMetricsHandler.instance
  }
  func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
    NOOPMetricsHandler.instance
  }
  func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    hang()
    return NOOPMetricsHandler.instance
  }
  func destroyCounter(_ handler: any CounterHandler) {}
  func destroyMeter(_ handler: any MeterHandler) {}
  func destroyRecorder(_ handler: any RecorderHandler) {}
  func destroyTimer(_ handler: any TimerHandler) {}

  func startSpan<Instant: TracerInstant>(
    _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind,
    at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
  ) -> NoOpTracer.Span {
    hang()
    return NoOpTracer.Span(context: context())
  }
  func forceFlush() {}
  func inject<Carrier, Inject>(_ context: ServiceContext, into carrier: inout Carrier, using injector: Inject)
  where Inject: Injector, Carrier == Inject.Carrier {}
  func extract<Carrier, Extract>(
    _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
  ) where Extract: Extractor, Carrier == Extract.Carrier {}
}
