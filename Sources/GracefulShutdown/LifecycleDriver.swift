import Logging
import Synchronization

/// Performs what the state machine decides.
///
/// Actions are performed outside the lock, by whichever thread brought the event, and none of them waits: so no thread
/// can hold up another, also when it is stuck in code of the user. Two threads may therefore perform in the wrong order;
/// what a phase is told is made so that this does not show (``PhaseMoments``, ``PhaseRuns``), and a thread that comes so
/// late that the phase was started again meanwhile has the run in its hands that was meant (``Deed``).
final class LifecycleDriver: Sendable {
  struct State {
    var machine: LifecycleStateMachine
    /// Of each phase of the graph, the run that is or comes next.
    var phases: [Phase]
    /// How many deeds there were.
    var decisions = 0
    /// Those that were opened while the program runs, and have not ended; of those that have, the ones in the report.
    var children: [Int: Phase] = [:]
    var report: LifecycleReport?
    var areExitHooksTaken = false
    var isReportWritten = false
    /// What is said before the process exits.
    var exitHooks: [ExitHook] = []
    var waiters: [CheckedContinuation<LifecycleReport, Never>] = []
  }

  let state: Mutex<State>
  let bodies: [Lifecycle.Body]
  /// Which errors a phase is started again for; all of them, where there is none.
  let filters: [Lifecycle.RestartFilter?]
  let environment: any LifecycleEnvironment
  let log: LifecycleLog
  private let nextChild: Atomic<Int>
  let tally = SessionTally()
  let emptied = EmptiedGates()
  let arrivals = ArrivalCounters()
  let events: LifecycleEventBroadcast
  let exiting: Bool
  let startedAt: UTCTime
  /// Where a test holds up what was decided; `nil` when it is done at once.
  private let later: (@Sendable ([Deed]) -> Void)?

  init(
    _ machine: LifecycleStateMachine, bodies: [Lifecycle.Body], filters: [Lifecycle.RestartFilter?],
    environment: any LifecycleEnvironment,
    log: LifecycleLog, events: LifecycleEventBroadcast, exiting: Bool,
    later: (@Sendable ([Deed]) -> Void)? = nil
  ) {
    // All of them from the beginning: what is said to one must find it, whichever thread starts it.
    let link = DriverLink()
    let phases = machine.graph.nodes.enumerated().map {
      Phase(name: $1.name, id: $0, environment: environment, link: link)
    }
    state = Mutex(State(machine: machine, phases: phases))
    nextChild = Atomic(phases.count)
    self.later = later
    self.bodies = bodies
    self.filters = filters
    self.environment = environment
    self.log = log
    self.events = events
    self.exiting = exiting
    startedAt = environment.wallTime()
    link.set(self)
    events.begin(phases.map(\.name), in: environment)
  }

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
      // Passed on, in order (S2): whoever is cancelled wants to end soon.
      if isFirst { requestStop(StopRequest(source: .cancellation, urgency: .cancelNow)) }
    }
    // Of the second that the timetable reserves; one that is stuck takes nothing from the other, since both are at it.
    let limit = min(.milliseconds(500), report.grace / 8)
    let until = environment.now() + limit
    await log.flush(within: limit)
    await events.settle(until: until)
    if exiting { leave(with: report, atOnce: false) }
    return report
  }

  /// Said by whichever thread ends the process, or by `run()`.
  ///
  /// When the report has been written already it is too late.
  func add(_ exitHooks: [ExitHook]) { state.withLock { $0.exitHooks += exitHooks } }

  func requestStop(_ request: StopRequest) {
    announce(request)
    receive(.stop(request))
  }

  /// Says that somebody asked, for whoever reads the log and the events.
  func announce(_ request: StopRequest) {
    log.write(.notice, "stop requested", ["stop.who": "\(request.source)", "stop.why": request.why])
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
    // Before the machine knows of it: it may be told to drain in the same moment, by another thread.
    send(.started, child)
    act { state, now in
      state.children[id] = child
      return state.machine.receive(.opened(.init(id: id, parent: parent.id, name: name, limit: limit)), at: now)
    }
    return child
  }

  /// The body of a child came back.
  func bodyEnded(_ child: Phase, _ outcome: LifecycleStateMachine.Outcome) {
    let wasGivenUp = child.cameBack()
    receive(.ended(child.id, outcome))
    // It holds up its parent as long as its body runs, whoever has given it up. Otherwise it leaves when it is released:
    // not here, where another thread may still be about to close its gate.
    if wasGivenUp { release(child) }
  }

  func snapshot() -> LifecycleSnapshot {
    // Put together under the lock: whoever takes the machine out of it, has it copied at the next event, with all the
    // children that are open.
    let (now, taken, gates) = state.withLock { state in
      let now = environment.now()
      let (taken, ids) = LifecycleSnapshot.taken(of: state.machine, at: .init(now))
      let gates = ids.map { id in (id < state.phases.count ? state.phases[id] : state.children[id])?.gate }
      return (now, taken, gates)
    }
    return taken.counting(gates, at: now)
  }

  /// - Parameter phase: Who said so, when it counts only as long as that run of it is not over.
  func receive(_ event: LifecycleStateMachine.Event, from phase: Phase? = nil) {
    act(telling: event.asksForNoStop) { state, now in
      state.machine.receive(state.holds(phase) ? event : .late(phase?.id ?? -1), at: now)
    }
  }

  /// Has something decided, and does it.
  ///
  /// - Parameter telling: Whether it is to be told when a stop begins with it: whoever asks for one by name, has said so.
  func act(
    telling: Bool = true, _ decide: (inout State, MonotonicInstant) -> [LifecycleStateMachine.Action]
  ) {
    var (deeds, request): ([Deed], StopRequest?) = state.withLock { state in
      let before = state.machine.request
      // The time is read under the lock, so that it never runs backwards for the machine.
      let actions = decide(&state, MonotonicInstant(environment.now()))
      return (actions.map { state.deed($0) }, before == nil ? state.machine.request : nil)
    }
    if later == nil, let last = deeds.last, case .wake = last.action {
      // Before anybody is told anything: one who holds this thread up must not hold up the time as well (S9).
      perform(last)
      deeds.removeLast()
    }
    if let request, telling { events.send(LifecycleEvent(.stopRequested, request: request)) }
    if let later { return later(deeds) }
    let found = OwnEmptiedGates()
    for deed in deeds { perform(deed, finding: found) }
    emptied.tell(found.take()) { becameEmpty($0) }
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
  /// Whether nobody outside of the phases has asked for a stop with it.
  fileprivate var asksForNoStop: Bool {
    switch self {
    case .run, .stop: false
    case .ready, .ended, .emptied, .opened, .stopPhase, .late, .wake, .looked: true
    }
  }
}
