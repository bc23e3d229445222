#if Metrics
internal import GracefulShutdown

/// Decides what is recorded of a lifecycle; records nothing itself.
///
/// What is counted and what is so now comes from snapshots, how long something took from events. Only the phases of the
/// graph have a name here: of child phases and sessions there may be millions, and each would be a time series.
struct MetricBook: Sendable {
  typealias Instant = ContinuousClock.Instant

  enum Measurement: Hashable, Sendable {
    /// So many more than before.
    case count(Series, by: Int)
    /// It is so now.
    case gauge(Series, Double)
    /// It took so long.
    case time(Series, Duration)
  }

  /// A name, and what tells it from others of the same name.
  struct Series: Hashable, Sendable {
    var label: String
    var dimensions: [Dimension]

    init(_ label: String, _ dimensions: Dimension...) {
      self.label = label
      self.dimensions = dimensions
    }
  }

  struct Dimension: Hashable, Sendable {
    var name: String
    var value: String

    init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  private let lifecycle: Dimension
  /// What has been counted so far.
  private var counted: [Series: Int] = [:]
  private var begunAt: Instant?
  private var startedAt: [String: Instant] = [:]
  private var drainAt: [String: Instant] = [:]
  /// Those that were never ready, and are to be.
  private var starting: Set<String> = []
  private var anyIsReady = false

  init(lifecycle: String) { self.lifecycle = Dimension("lifecycle", lifecycle) }

  mutating func begin(_ phases: [String], at now: Instant) {
    begunAt = now
    starting = Set(phases)
  }

  // MARK: How long it took

  mutating func note(_ event: LifecycleEvent, at now: Instant) -> [Measurement] {
    switch (event.kind, event.phase) {
    case (.started, let phase?):
      startedAt[phase] = now
    case (.ready, let phase?):
      return ready(phase, at: now)
    case (.stoppedBeforeReady, let phase?):
      return stoppedBeforeReady(phase, at: now)
    case (.restarting, let phase?):
      // The run before it will not be ready any more.
      startedAt[phase] = nil
    case (.draining, let phase?):
      startedAt[phase] = nil
      drainAt[phase] = now
    case (.ended, let phase?):
      startedAt[phase] = nil
      guard let began = drainAt.removeValue(forKey: phase), let end = event.end else { return [] }
      let series = Series(
        "graceful_phase_drain_seconds", lifecycle, Dimension("phase", phase), Dimension("end", end.word.rawValue))
      return [.time(series, now - began)]
    case (.stopRequested, _):
      guard let request = event.request else { return [] }
      // Never started in full.
      begunAt = nil
      return [.count(Series("graceful_stop_requests_total", lifecycle, Dimension("who", request.source.kind)), by: 1)]
    case (.finished, _):
      guard let report = event.report, report.request != nil else { return [] }
      return [.gauge(Series("graceful_stop_seconds", lifecycle), report.took.inSeconds)]
    default: break
    }
    return []
  }

  private mutating func ready(_ phase: String, at now: Instant) -> [Measurement] {
    var measurements: [Measurement] = []
    if let began = startedAt.removeValue(forKey: phase) {
      measurements.append(
        .time(Series("graceful_phase_start_seconds", lifecycle, Dimension("phase", phase)), now - began))
    }
    // A phase that was given up may become ready all the same.
    if starting.remove(phase) != nil { anyIsReady = true }
    return measurements + startIsOver(at: now)
  }

  /// It is not waited for any more, and what it has taken so far is no start.
  private mutating func stoppedBeforeReady(_ phase: String, at now: Instant) -> [Measurement] {
    startedAt[phase] = nil
    starting.remove(phase)
    return startIsOver(at: now)
  }

  private mutating func startIsOver(at now: Instant) -> [Measurement] {
    guard starting.isEmpty, let begunAt else { return [] }
    self.begunAt = nil
    // Where all were stopped before they were ready, nothing has started.
    return anyIsReady ? [.time(Series("graceful_start_seconds", lifecycle), now - begunAt)] : []
  }

  // MARK: What is so now

  mutating func sample(_ snapshot: LifecycleSnapshot) -> [Measurement] {
    var measurements: [Measurement] = []
    for phase in snapshot.phases where phase.parent == nil {
      let name = Dimension("phase", phase.name)
      measurements += [
        gauge("graceful_phase_ready", name, phase.state == .ready ? 1 : 0),
        gauge("graceful_phase_waiting", name, phase.isWaiting ? 1 : 0),
        gauge("graceful_phase_children_live", name, Double(phase.children)),
        gauge("graceful_sessions_live", name, Double(phase.sessionsLive)),
      ]
      let counts = [
        // That which is under way may not come: a stop may come first.
        ("graceful_phase_restarts_total", phase.restarts - (phase.state == .restarting ? 1 : 0)),
        ("graceful_sessions_admitted_total", phase.sessionsAdmitted),
        ("graceful_sessions_refused_total", phase.sessionsRefused),
        ("graceful_sessions_failed_total", phase.sessionsFailed),
        ("graceful_sessions_cancelled_total", phase.sessionsCancelled),
        // It is not waited for any more, and they are inside.
        ("graceful_sessions_abandoned_total", phase.state == .ended ? phase.sessionsLive : 0),
      ]
      for (label, count) in counts {
        if let more = more(Series(label, lifecycle, name), than: count) { measurements.append(more) }
      }
    }
    return measurements + whole(snapshot)
  }

  private func whole(_ snapshot: LifecycleSnapshot) -> [Measurement] {
    var measurements = Self.states.map { state in
      gauge("graceful_state", Dimension("state", state.description), snapshot.state == state ? 1 : 0)
    }
    let phases = snapshot.phases.filter { $0.parent == nil }
    measurements += Self.phaseStates.map { state in
      gauge(
        "graceful_phases", Dimension("state", state.description), Double(phases.count { $0.state == state }))
    }
    measurements.append(.gauge(Series("graceful_grace_seconds", lifecycle), snapshot.grace.inSeconds))
    // At the end it is the report that knows.
    if let left = snapshot.left {
      measurements.append(.gauge(Series("graceful_stop_seconds", lifecycle), (snapshot.grace - left).inSeconds))
    }
    // The first sample may be a moment early.
    let running = snapshot.running ?? .zero
    measurements.append(.gauge(Series("graceful_uptime_seconds", lifecycle), running.inSeconds))
    return measurements
  }

  private func gauge(_ label: String, _ dimension: Dimension, _ value: Double) -> Measurement {
    .gauge(Series(label, lifecycle, dimension), value)
  }

  /// From the first time on, so that a rate can be taken of it; afterwards only when there is news.
  private mutating func more(_ series: Series, than count: Int) -> Measurement? {
    let before = counted[series]
    let more = count - (before ?? 0)
    // What was abandoned may still end: it was abandoned all the same.
    guard before == nil || more > 0 else { return nil }
    counted[series] = count
    return .count(series, by: max(more, 0))
  }

  private static var states: [LifecycleSnapshot.State] { [.declared, .starting, .running, .stopping, .finished] }
  private static var phaseStates: [PhaseSnapshot.State] {
    [.waiting, .starting, .ready, .restarting, .draining, .cancelled, .ended]
  }
}

extension Duration {
  fileprivate var inSeconds: Double { self / .seconds(1) }
}
#endif
