import GracefulTesting
import Synchronization
import Tracing

/// A tracer that keeps what it is told.
final class RecordingTracer: Tracer {
  final class Span: Tracing.Span {
    struct State {
      var operationName: String
      var attributes = SpanAttributes()
      var status: SpanStatus?
      var end: UInt64?
    }

    let id: Int
    let parent: Int?
    let begin: UInt64
    let context: ServiceContext
    let state: Mutex<State>
    let isRecording = true
    private let calls: Recorder

    init(_ name: String, id: Int, at begin: UInt64, within context: ServiceContext, calls: Recorder) {
      self.id = id
      self.begin = begin
      self.calls = calls
      parent = context[SpanID.self]
      var context = context
      context[SpanID.self] = id
      self.context = context
      state = Mutex(State(operationName: name))
    }

    var operationName: String {
      get { state.withLock { $0.operationName } }
      set { state.withLock { $0.operationName = newValue } }
    }
    var attributes: SpanAttributes {
      get { state.withLock { $0.attributes } }
      set { state.withLock { $0.attributes = newValue } }
    }
    func setStatus(_ status: SpanStatus) { state.withLock { $0.status = status } }
    func addEvent(_ event: SpanEvent) {}
    func addLink(_ link: SpanLink) {}
    func recordError<Instant: TracerInstant>(
      _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
    ) {}
    func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
      let instant = instant().nanosecondsSinceEpoch
      state.withLock { $0.end = instant }
      calls.record("end \(operationName)")
    }

    /// `key=value`, sorted.
    var notes: [String] {
      var notes: [String] = []
      attributes.forEach { name, value in
        if case .string(let text) = value { notes.append("\(name)=\(text)") } else { notes.append("\(name)=?") }
      }
      return notes.sorted()
    }
  }

  private enum SpanID: ServiceContextKey {
    typealias Value = Int
  }

  private let all = Mutex<[Span]>([])
  /// `begin NAME` and `end NAME`.
  let calls = Recorder()
  /// Called before each span: where a test blocks.
  private let gate: @Sendable () -> Void

  init(gate: @escaping @Sendable () -> Void = {}) { self.gate = gate }

  var spans: [Span] { all.withLock { $0 } }

  subscript(name: String) -> Span? { spans.last { $0.operationName == name } }

  func startSpan<Instant: TracerInstant>(
    _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind,
    at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
  ) -> Span {
    gate()
    let (context, begin) = (context(), instant().nanosecondsSinceEpoch)
    let span = all.withLock { all in
      let span = Span(operationName, id: all.count, at: begin, within: context, calls: calls)
      all.append(span)
      return span
    }
    calls.record("begin \(operationName)")
    return span
  }

  func forceFlush() {}
  func inject<Carrier, Inject>(_ context: ServiceContext, into carrier: inout Carrier, using injector: Inject)
  where Inject: Injector, Carrier == Inject.Carrier {}
  func extract<Carrier, Extract>(
    _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
  ) where Extract: Extractor, Carrier == Extract.Carrier {}

  /// One line a span, in the order in which they began: `1.5–3.0 name in parent !error`, in seconds since `begin`.
  func tree(since begin: UInt64) -> [String] {
    let spans = spans
    return spans.map { span in
      let state = span.state.withLock { $0 }
      let until = state.end.map { "\(Double(Int64($0) - Int64(begin)) / 1e9)" } ?? "open"
      let parent = span.parent.map { " in \(spans[$0].operationName)" } ?? ""
      let error = state.status?.code == .error ? " !\(state.status?.message ?? "")" : ""
      return "\(Double(Int64(span.begin) - Int64(begin)) / 1e9)–\(until) \(state.operationName)\(parent)\(error)"
    }
  }
}
