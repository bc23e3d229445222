#if Tracing
internal import GracefulShutdown
internal import Synchronization
internal import Tracing

/// Calls a tracer and the spans that it has made: what is called is the user's, and may block.
final class SpanWriter: Sendable {
  /// An instant of our clock and the time of day then: the spans of one tree are told in the same, so that a clock on
  /// the wall that is set meanwhile tears nothing apart.
  struct TimeOfDay: Sendable {
    var instant: ContinuousClock.Instant
    var wall: UTCTime

    func at(_ other: ContinuousClock.Instant) -> SpanInstant {
      let (seconds, attoseconds) = (other - instant).bounded.components
      // From 1970 to 2128, so that the sum has room whatever the clock on the wall says.
      let milliseconds = min(max(wall.milliseconds, 0), 5_000_000_000_000)
      let nanoseconds = milliseconds * 1_000_000 + seconds * 1_000_000_000 + attoseconds / 1_000_000_000
      return SpanInstant(nanosecondsSinceEpoch: UInt64(max(nanoseconds, 0)))
    }
  }

  private struct Open: Sendable {
    var span: any Span
    var time: TimeOfDay
  }

  private let tracer: any Tracer
  private let open = Mutex<[SpanBook.Span: Open]>([:])

  init(tracer: any Tracer) { self.tracer = tracer }

  /// One call at a time.
  func perform(_ action: SpanBook.Action, _ now: TimeOfDay) {
    switch action {
    case .begin(let id, let name, let parentID, let instant, let attributes):
      let parent = open.withLock { open in parentID.flatMap { open[$0] } }
      let time = parent?.time ?? now
      // Never what is current: the thread belongs to no task.
      let span: any Span = tracer.startSpan(
        name, context: parent?.span.context ?? .topLevel, ofKind: .internal, at: time.at(instant))
      set(attributes, on: span)
      open.withLock { $0[id] = Open(span: span, time: time) }
    case .end(let id, let instant, let error, let attributes):
      guard let ended = open.withLock({ $0.removeValue(forKey: id) }) else { return }
      var attributes = attributes
      if let error {
        attributes["error"] = error
        ended.span.setStatus(SpanStatus(code: .error, message: error))
      }
      set(attributes, on: ended.span)
      ended.span.end(at: ended.time.at(instant))
    }
  }

  private func set(_ attributes: [String: String], on span: any Span) {
    guard !attributes.isEmpty else { return }
    span.updateAttributes { all in
      for (name, value) in attributes { all[name] = value }
    }
  }
}

/// When a span began or ended.
struct SpanInstant: TracerInstant {
  let nanosecondsSinceEpoch: UInt64

  static func < (one: Self, other: Self) -> Bool { one.nanosecondsSinceEpoch < other.nanosecondsSinceEpoch }
}
#endif
