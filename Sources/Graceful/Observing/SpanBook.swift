#if Tracing
internal import GracefulShutdown

/// Decides which spans begin and end; knows no tracer.
///
/// A span for the start, with one for each phase in it from its beginning until it is ready; one for the stop, with one
/// for each phase from when it is told to drain until it has ended. A phase that is started again, or stopped alone,
/// has spans of its own.
struct SpanBook: Sendable {
  typealias Instant = ContinuousClock.Instant

  enum Span: Hashable, Sendable {
    case start
    case stop
    /// On its way up.
    case up(String)
    /// On its way down.
    case down(String)
  }

  enum Action: Hashable, Sendable {
    case begin(Span, String, within: Span?, at: Instant, [String: String])
    /// - Parameter error: What went wrong.
    case end(Span, at: Instant, error: String?, [String: String])
  }

  private let lifecycle: String
  private let lastPhase: String?
  private var open: Set<Span> = []
  /// How many of them are on the way up.
  private var ups = 0
  /// Those that were never ready, and are to be.
  private var starting: Set<String> = []
  private var request: StopRequest?
  /// The first thing that went wrong on the way down.
  private var trouble: String?
  private var actions: [Action] = []

  /// - Parameter lastPhase: The stop's span ends when this one is told to drain.
  init(lifecycle: String, lastPhase: String?) {
    self.lifecycle = lifecycle
    self.lastPhase = lastPhase
  }

  mutating func begin(_ phases: [String], at now: Instant) -> [Action] {
    starting = Set(phases)
    begin(.start, "start \(lifecycle)", at: now)
    return takeActions()
  }

  mutating func note(_ event: LifecycleEvent, at now: Instant) -> [Action] {
    switch (event.kind, event.phase) {
    case (.started, let phase?):
      // A phase that is started again has a span since it came back.
      if !open.contains(.up(phase)) { begin(.up(phase), "start \(phase)", within: .start, of: phase, at: now) }
    case (.ready, let phase?):
      end(.up(phase), at: now)
      starting.remove(phase)
    case (.stoppedBeforeReady, let phase?):
      end(.up(phase), at: now, Self.notReady)
      starting.remove(phase)
    case (.stopRequested, _):
      if let request = event.request, self.request == nil { beginStop(request, at: now) }
    case (.restarting, let phase?):
      // Not the start again: that span may have ended long ago.
      end(.up(phase), at: now, error: "it came back before it was ready")
      begin(.up(phase), "restart \(phase)", within: .start, of: phase, at: now)
    case (.draining, let phase?):
      end(.up(phase), at: now, Self.notReady)
      begin(.down(phase), "stop \(phase)", within: .stop, of: phase, at: now)
      // What is left of the stop cannot be carried away any more.
      if phase == lastPhase { end(.stop, at: now, error: trouble) }
    case (.ended, let phase?):
      if let how = event.end { ended(phase, how, at: now) }
    case (.finished, _):
      if let report = event.report { finish(report, at: now) }
    default: break
    }
    // Once a stop was asked for, nothing else begins: the start is over when no phase is on the way up.
    if starting.isEmpty || request != nil && ups == 0 {
      end(.start, at: now, starting.isEmpty ? [:] : request.map { ["stop.who": "\($0.source)"] } ?? [:])
    }
    return takeActions()
  }

  /// It was told to stop before it was ready, which is no error: so it must be said.
  private static var notReady: [String: String] { ["phase.start": "stopped before it was ready"] }

  private mutating func beginStop(_ request: StopRequest, at now: Instant) {
    self.request = request
    switch request.source.origin {
    case .phaseFailed(let phase): end(.up(phase), at: now, error: request.why)
    case .phaseEnded(let phase): end(.up(phase), at: now, ["phase.start": "came back before it was ready"])
    case .signal, .code, .successor, .cancellation, .serviceGroup, .control, .file, .http, .custom: break
    }
    if case .phaseFailed = request.source.origin {
      trouble = "\(request)"
      // It does not come up any more.
      end(.start, at: now, error: "\(request)")
    }
    var attributes = ["stop.who": "\(request.source)"]
    if !request.why.isEmpty { attributes["stop.why"] = request.why }
    begin(.stop, "stop \(lifecycle)", attributes, at: now)
  }

  private mutating func ended(_ phase: String, _ how: PhaseEnd, at now: Instant) {
    let error = how.isFailed || how.isStraggler ? how.error ?? how.description : nil
    if let error, trouble == nil { trouble = "\(phase): \(error)" }
    end(.up(phase), at: now, error: error, Self.notReady)
    // Abandoned before its turn came: without a length, but there.
    if error != nil { begin(.down(phase), "stop \(phase)", within: .stop, of: phase, at: now) }
    end(.down(phase), at: now, error: error, ["phase.end": how.description])
  }

  private mutating func finish(_ report: LifecycleReport, at now: Instant) {
    let error = report.exitCode == 0 ? nil : report.mistakes.first.map { "\($0)" } ?? trouble ?? report.summary
    // Of each phase everything has been said before; should it not have been, the report knows how it ended.
    for phase in report.phases where open.contains(.up(phase.name)) || open.contains(.down(phase.name)) {
      ended(phase.name, phase.end, at: now)
    }
    end(.start, at: now, error: report.mistakes.isEmpty ? nil : error)
    // A request of the same moment may have been a little later than the request that decided.
    var attributes = ["exit.code": "\(report.exitCode)"]
    if let request = report.request { attributes["stop.who"] = "\(request.source)" }
    if !report.stragglers.isEmpty {
      attributes["stragglers"] = report.stragglers.prefix(10).map(\.description).joined(separator: ", ")
    }
    end(.stop, at: now, error: error, attributes)
  }

  // MARK: Beginning and ending

  private mutating func begin(
    _ span: Span, _ name: String, within parent: Span? = nil, of phase: String? = nil,
    _ attributes: [String: String] = [:], at now: Instant
  ) {
    guard open.insert(span).inserted else { return }
    if case .up = span { ups += 1 }
    var attributes = attributes
    attributes["lifecycle.name"] = lifecycle
    attributes["phase.name"] = phase
    actions.append(.begin(span, name, within: parent.flatMap { open.contains($0) ? $0 : nil }, at: now, attributes))
  }

  private mutating func end(
    _ span: Span, at now: Instant, error: String? = nil, _ attributes: [String: String] = [:]
  ) {
    guard open.remove(span) != nil else { return }
    if case .up = span { ups -= 1 }
    actions.append(.end(span, at: now, error: error, attributes))
  }

  private mutating func takeActions() -> [Action] {
    defer { actions = [] }
    return actions
  }
}
#endif
