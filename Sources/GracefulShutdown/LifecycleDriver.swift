import Logging
import Synchronization

/// The one lock of a lifecycle, and the order of everything that it does.
///
/// An event is decided under the lock by the thread that brings it. What was decided is kept in the order in which it was
/// decided, and performed in that order outside the lock, one after the other, by the environment's thread for it
/// (``LifecycleEnvironment/performDecisions(_:)``): so no action finds another one overtaken, and code of the user (bodies,
/// handlers, cancelling, logging) runs elsewhere. What must not wait for that order is done at once: the next wake-up is
/// armed, and an exit that is overdue happens, by the thread that found out.
final class LifecycleDriver: Sendable {
  struct State {
    var machine: LifecycleStateMachine
    /// Of each phase of the graph, the run that is or comes next.
    var phases: [Phase]
    /// Child phases that have not ended.
    var children: [Int: Phase] = [:]
    /// What was decided, and is not performed yet.
    var decisions: [(decision: Decision, instant: MonotonicInstant)] = []
    /// From the first decision on, until none is left.
    var isPerforming = false
    var readiness = ReadinessWatch()
    var report: LifecycleReport?
    /// By when the process has ended, once that is known.
    var leaveBy: ContinuousClock.Instant?
    var areExitHooksTaken = false
    var isReportWritten = false
    /// What is called before the process exits.
    var exitHooks: [ExitHook] = []
    var waiters: [CheckedContinuation<LifecycleReport, Never>] = []
  }

  let state: Mutex<State>
  let code: PhaseCode
  let environment: any LifecycleEnvironment
  let log: LifecycleLog
  private let nextChild: Atomic<Int>
  let tally = SessionTally()
  let arrivals = ArrivalCounters()
  let events: LifecycleEventBroadcast
  let exiting: Bool
  let startedAt: UTCTime

  init(
    _ machine: LifecycleStateMachine, bodies: [Lifecycle.Body], filters: [Lifecycle.RestartFilter?],
    environment: any LifecycleEnvironment, log: LifecycleLog, events: LifecycleEventBroadcast, exiting: Bool
  ) {
    // All of them from the beginning: what is said to a phase must find it, whichever thread starts it.
    let link = DriverLink()
    let phases = machine.graph.nodes.enumerated().map {
      Phase(name: $1.name, id: $0, environment: environment, link: link)
    }
    state = Mutex(State(machine: machine, phases: phases))
    nextChild = Atomic(phases.count)
    code = PhaseCode(bodies: bodies, filters: filters)
    self.environment = environment
    self.log = log
    self.events = events
    self.exiting = exiting
    startedAt = environment.wallTime()
    link.set(self)
    events.begin(phases.map(\.name), in: environment)
  }

  deinit {
    // The last reference may be dropped by the thread that performs, or that keeps time: what closures of the user hold is
    // released on a thread that they may block.
    environment.perform { [code, arrivals] in
      code.release()
      withExtendedLifetime(arrivals) {}
    }
  }

  // MARK: Deciding

  /// - Parameter phase: The run that speaks, when it counts only as long as that run is not over.
  func receive(_ event: LifecycleStateMachine.Event, from phase: Phase? = nil) {
    act(announcing: event.asksForNoStop) { state, now in
      state.machine.receive(state.holds(phase) ? event : .late(phase?.id ?? -1), at: now)
    }
  }

  /// Has something decided, and performed.
  ///
  /// - Parameter announcing: Whether a stop that begins with it is an event: a request has been announced already.
  func act(
    announcing: Bool = true, _ decide: (inout State, MonotonicInstant) -> [LifecycleStateMachine.Action]
  ) {
    let (urgent, isFirst, look) = state.withLock { state in
      let before = announcing ? state.machine.request : nil
      // The time is read under the lock, so that it never runs backwards for the machine.
      let now = MonotonicInstant(environment.now())
      let actions = decide(&state, now)
      if announcing, before == nil, let request = state.machine.request {
        state.decisions.append((.began(request), now))
      }
      let urgent = state.note(actions, at: now)
      defer { state.isPerforming = state.isPerforming || !state.decisions.isEmpty }
      let isFirst = !state.isPerforming && !state.decisions.isEmpty
      return (urgent, isFirst, state.readiness.takeNextLook())
    }
    // First of all, and by this thread: a deadline must not wait for what is performed (S9).
    for action in urgent { performAtOnce(action) }
    if let look { lookAtReadiness(at: look) }
    if isFirst { environment.performDecisions { [self] in performAll() } }
  }

  // MARK: Performing

  /// What was decided, until nothing is left.
  private func performAll() {
    var emptied: [Int] = []
    while let decisions = takeDecisions() {
      for (decision, instant) in decisions {
        events.happens(at: instant)
        perform(decision, &emptied)
      }
      events.happens(at: nil)
      becameEmpty(emptied)
      emptied.removeAll(keepingCapacity: true)
    }
  }

  /// In the same step as nothing is left, nothing performs: the next decision is a first one again.
  private func takeDecisions() -> [(decision: Decision, instant: MonotonicInstant)]? {
    state.withLock { state in
      state.isPerforming = !state.decisions.isEmpty
      guard state.isPerforming else { return nil }
      defer { state.decisions = [] }
      return state.decisions
    }
  }

  // MARK: What happens

  /// Before the run: what was written down and cannot be as it says.
  func noteClippedLimits() {
    let (grace, nodes) = state.withLock { ($0.machine.grace, $0.machine.graph.nodes) }
    let longest = StopTimetable.drainTime(of: grace)
    for node in nodes {
      guard let limit = node.limit, limit > longest else { continue }
      log.write(
        .warning, "the limit of a phase is longer than what the grace leaves to drain, and is clipped to that",
        ["phase.name": node.name, "phase.limit": limit.brief, "lifecycle.drain": longest.brief])
    }
  }

  /// - Parameter isFirst: Whether this call began the run: only its cancellation is passed on, others just wait.
  func run(isFirst: Bool = true) async -> LifecycleReport {
    let report = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let known = state.withLock { state in
          if state.report == nil { state.waiters.append(continuation) }
          return state.report
        }
        if let known { continuation.resume(returning: known) } else { receive(.run) }
      }
    } onCancel: {
      // Passed on, in order (S2): a caller that is cancelled wants to end soon.
      if isFirst { requestStop(StopRequest(source: .cancellation, urgency: .cancelNow)) }
    }
    // Of the second that the timetable reserves; a writer that is stuck takes nothing from the other: both are at it.
    let limit = min(.milliseconds(500), report.grace / 8)
    let until = environment.now() + limit
    await log.flush(within: limit)
    await events.settle(until: until)
    if exiting { leave(with: report, atOnce: false) }
    return report
  }

  /// Called by the thread that ends the process, or by `run()`.
  ///
  /// When the report has been written already it is too late.
  func add(_ exitHooks: [ExitHook]) { state.withLock { $0.exitHooks += exitHooks } }

  func requestStop(_ request: StopRequest) {
    act(announcing: false) { state, now in
      state.decisions.append((.asked(request), now))
      return state.machine.receive(.stop(request), at: now)
    }
  }

  /// Announces a request that came before the run.
  func announce(_ request: StopRequest) {
    log.write(.notice, "stop requested", ["stop.who": "\(request.source)", "stop.why": request.why])
    events.send(LifecycleEvent(.stopRequested, request: request))
  }

  /// Announces a stop that a phase has begun, and how a phase that returned at once might have been meant.
  func announceOwn(_ request: StopRequest) {
    var metadata = ["stop.who": "\(request.source)"]
    if !request.why.isEmpty { metadata["stop.why"] = request.why }
    log.write(.notice, "stop requested", metadata)
    if let hint = state.withLock({ $0.machine.hint(for: request) }) { log.write(.warning, hint) }
    events.send(LifecycleEvent(.stopRequested, request: request))
  }

  func stopAlone(_ phase: String, _ request: StopRequest) {
    guard let id = state.withLock({ $0.phases.firstIndex { $0.name == phase } }) else { return }
    log.write(
      .notice, "stop of one phase requested",
      ["phase.name": phase, "stop.who": "\(request.source)", "stop.why": request.why])
    receive(.stopPhase(id, request.urgency))
  }

  func stopAlone(_ phase: Phase, _ urgency: StopRequest.Urgency) {
    receive(.stopPhase(phase.id, urgency), from: phase)
  }

  func becomeReady(_ phase: Phase) { receive(.ready(phase.id), from: phase) }

  /// The run of the phase that is, or comes next.
  func currentRun(of phase: Phase) -> Phase? {
    phase.parent == nil ? state.withLock { $0.phases[phase.id] } : phase
  }

  /// Opens a child that its parent's gate has admitted.
  ///
  /// - Parameter place: In its parent, which it leaves when it is released.
  func open(_ name: String, limit: Duration?, at place: Place) -> Phase {
    let parent = place.phase
    let id = nextChild.wrappingAdd(1, ordering: .relaxed).oldValue
    let child = Phase(name: name, id: id, environment: environment, link: parent.link, within: place)
    act { state, now in
      state.children[id] = child
      // Before the machine decides on it: it may be told to drain at once.
      if events.isHeard(ofChild: true) { state.decisions.append((.opened(child), now)) }
      return state.machine.receive(.opened(.init(id: id, parent: parent.id, name: name, limit: limit)), at: now)
    }
    return child
  }

  /// The body of a child came back.
  func bodyEnded(_ child: Phase, _ outcome: LifecycleStateMachine.Outcome) {
    let wasGivenUp = child.cameBack()
    var isReleased = wasGivenUp
    act { state, now in
      let actions = state.machine.receive(.ended(child.id, outcome), at: now)
      if case .phase(child.id, .release)? = actions.first { isReleased = true }
      return actions
    }
    // Its parent is held up as long as the body runs, even when the child was given up. A child that has ended leaves here
    // and now, not when that is performed: its caller waits for nothing else, and so a chain of ten thousand unwinds
    // without a switch between threads for each.
    if isReleased { release(child) }
  }

  func snapshot() -> LifecycleSnapshot {
    // Put together under the lock: a machine that is taken out of it is copied at the next event, with all the children
    // that are open.
    let (now, taken, gates) = state.withLock { state in
      let now = environment.now()
      let (taken, ids) = LifecycleSnapshot.taken(of: state.machine, at: .init(now))
      let gates = ids.map { id in (id < state.phases.count ? state.phases[id] : state.children[id])?.gate }
      return (now, taken, gates)
    }
    return taken.counting(gates, at: now)
  }
}

extension LifecycleStateMachine {
  /// The first one, which decides.
  fileprivate var request: StopRequest? {
    switch state {
    case .idle, .running: nil
    case .stopping(let stopping): stopping.request
    case .finished(let report): report.request
    }
  }
}

extension LifecycleStateMachine.Event {
  /// Whether it is no request from outside the phases.
  fileprivate var asksForNoStop: Bool {
    switch self {
    case .run, .stop: false
    case .ready, .ended, .emptied, .opened, .stopPhase, .late, .wake, .looked: true
    }
  }
}
