import Logging
import Synchronization

/// Performs what the state machine decides.
///
/// Actions are performed outside the lock, by whichever thread brought the event, and none of them waits: so no thread
/// can hold up another, also when it is stuck in code of the user. Two threads may therefore perform in the wrong order;
/// what a phase is told is made so that this does not show (``MomentBoard``).
final class LifecycleDriver: Sendable {
  struct State {
    var machine: LifecycleStateMachine
    /// Those that were opened while the program runs, and have not ended.
    var children: [Int: Phase] = [:]
    var nextChild: Int
    var report: LifecycleReport?
    var isReportWritten = false
    var waiters: [CheckedContinuation<LifecycleReport, Never>] = []
  }

  let state: Mutex<State>
  private let phases: [Phase]
  private let bodies: [Lifecycle.Body]
  let environment: any LifecycleEnvironment
  let log: LifecycleLog
  let tally = SessionTally()
  private let emptied = EmptiedGates()
  let events: LifecycleEventBroadcast
  let exiting: Bool
  let startedAt: UTCTime

  init(
    _ machine: LifecycleStateMachine, bodies: [Lifecycle.Body], environment: any LifecycleEnvironment,
    log: LifecycleLog, events: LifecycleEventBroadcast, exiting: Bool
  ) {
    let names = machine.graph.nodes.map(\.name)
    state = Mutex(State(machine: machine, nextChild: names.count))
    self.bodies = bodies
    self.environment = environment
    self.log = log
    self.events = events
    self.exiting = exiting
    startedAt = environment.wallTime()
    // All of them from the beginning: what is said to one must find it, whichever thread starts it.
    let link = DriverLink()
    phases = names.enumerated().map { Phase(name: $1, id: $0, environment: environment, link: link) }
    link.set(self)
    events.begin(names, in: environment)
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
      if isFirst { requestStop(StopRequest(who: .cancellation, urgency: .cancelNow)) }
    }
    // Of the second that the timetable reserves; one that is stuck takes nothing from the other, since both are at it.
    let limit = min(.milliseconds(500), report.grace / 8)
    let until = environment.now() + limit
    await log.flush(within: limit)
    await events.settle(until: until)
    if exiting { leave(with: report, atOnce: false) }
    return report
  }

  func requestStop(_ request: StopRequest) {
    announce(request)
    receive(.stop(request))
  }

  /// Says that somebody asked, for whoever reads the log and the events.
  func announce(_ request: StopRequest) {
    log.write(.notice, "stop requested", ["stop.who": "\(request.who)", "stop.why": request.why])
    events.send(LifecycleEvent(.stopRequested, request: request))
  }

  func stopAlone(_ phase: PhaseHandle) {
    guard let id = phases.firstIndex(where: { $0.name == phase.name }) else { return }
    log.write(.notice, "stop of one phase requested", ["phase.name": phase.name])
    stopAlone(id, .drain)
  }

  func stopAlone(_ id: Int, _ urgency: StopRequest.Urgency) { receive(.stopPhase(id, urgency)) }

  func becomeReady(_ id: Int) { receive(.ready(id)) }

  /// Opens a child that its parent's gate has admitted.
  ///
  /// - Parameter place: In its parent, which it leaves when it is released.
  func open(_ name: String, limit: Duration?, at place: Place) -> Phase {
    let parent = place.phase
    let child = state.withLock { state in
      let id = state.nextChild
      state.nextChild += 1
      let phase = Phase(name: name, id: id, environment: environment, link: parent.link, within: place)
      state.children[id] = phase
      return phase
    }
    // Before the machine knows of it: it may be told to drain in the same moment, by another thread.
    send(.started, child)
    receive(.opened(.init(id: child.id, parent: parent.id, name: name, limit: limit)))
    return child
  }

  /// The body of a child came back.
  func bodyEnded(_ child: Phase, _ outcome: LifecycleStateMachine.Outcome) {
    let wasGivenUp = child.cameBack()
    receive(.ended(child.id, outcome))
    // It holds up its parent as long as its body runs, whoever has given it up. Otherwise it leaves when it is released:
    // not here, where another thread may still be about to close its gate.
    if wasGivenUp { release(child.id) }
  }

  func snapshot() -> LifecycleSnapshot {
    // Put together under the lock: whoever takes the machine out of it, has it copied at the next event, with all the
    // children that are open.
    let (now, taken, gates) = state.withLock { state in
      let now = environment.now()
      let (taken, ids) = LifecycleSnapshot.taken(of: state.machine, at: now)
      return (now, taken, ids.map { id in (id < phases.count ? phases[id] : state.children[id])?.gate })
    }
    return taken.counting(gates, at: now)
  }

  private func receive(_ event: LifecycleStateMachine.Event) {
    let (actions, request) = state.withLock { state in
      let before = state.machine.request
      // The time is read under the lock, so that it never runs backwards for the machine.
      let actions = state.machine.receive(event, at: environment.now())
      return (actions, before == nil ? state.machine.request : nil)
    }
    // A phase asked, by failing or by coming back: who asks otherwise, has said so.
    if let request, event.asksForNoStop { events.send(LifecycleEvent(.stopRequested, request: request)) }
    for action in actions { perform(action) }
  }

  func phase(_ id: Int) -> Phase? {
    id < phases.count ? phases[id] : state.withLock { $0.children[id] }
  }

  private func perform(_ action: LifecycleStateMachine.Action) {
    switch action {
    case .start(let id): start(id)
    case .ready(let id):
      say(.info, "phase is ready", id)
      send(.ready, phases[id])
    case .hear(let id, let deadline): phase(id)?.tell(.stopRequested, deadline: deadline)
    case .drain(let id, let deadline): drain(id, deadline)
    case .turn(let id, let deadline): phase(id)?.tell(.turn, deadline: deadline)
    case .cut(let id): cut(id)
    case .cancel(let id, let deadline):
      guard let phase = phase(id) else { return }
      say(.warning, "phase has not ended in time and is cancelled", id)
      send(.cancelled, phase)
      phase.tell(.cancelled, deadline: deadline)
      phase.beCancelled()
    case .abandon(let id):
      say(.error, "phase has not ended in time and is abandoned", id)
      if let phase = phase(id) {
        send(.ended, phase, .abandoned)
        // Nobody is admitted to what nobody waits for.
        phase.gate.close {}
        tally.close(phase, at: environment.now())
        phase.board.close()
        if phase.beGivenUp() { release(id) }
      }
    case .release(let id, let end): ended(id, end)
    case .wake(let instant):
      environment.schedule(at: instant) { [weak self] in self?.receive(.wake) }
    case .finish(let report):
      conclude(report)
      finish(complete(report))
    case .leave(let report):
      // Another thread may be about to finish.
      if exiting { leave(with: state.withLock { $0.report } ?? complete(report), atOnce: true) }
    case .ignored(let reason): log.write(.debug, "ignored: \(reason)")
    }
  }

  private func start(_ id: Int) {
    say(.info, "phase starts", id)
    send(.started, phases[id])
    let (phase, body) = (phases[id], bodies[id])
    let task = Task.detached(priority: .medium) { [self] in
      let outcome: LifecycleStateMachine.Outcome
      do {
        try await phase.perform(body)
        outcome = .returned
      } catch {
        outcome = .init(error)
      }
      phase.cameBack()
      receive(.ended(id, outcome))
    }
    phase.runs { task.cancel() }
  }

  private func drain(_ id: Int, _ deadline: ContinuousClock.Instant) {
    guard let phase = phase(id) else { return }
    say(.debug, "phase is told to drain", id)
    send(.draining, phase)
    // Nobody notices a tenth of a second; and it costs nothing where nobody observes.
    let limit = min(.milliseconds(100), max(deadline - environment.now(), .zero) / 4)
    events.settle(before: phase, within: limit) { [self] in
      phase.tell(.drain, deadline: deadline)
      // Told first, closed then: whoever accepts has a chance to stop before what it accepted is refused.
      phase.gate.close { [weak self] in self?.becameEmpty(id) }
    }
  }

  private func becameEmpty(_ id: Int) {
    emptied.tell(id) { receive(.emptied($0)) }
  }

  private func cut(_ id: Int) {
    guard let phase = phase(id) else { return }
    say(.warning, "phase has not drained in time, what is inside is cancelled", id)
    tally.cut(phase, at: environment.now())
    for cancel in phase.gate.cancelAll() { environment.performCancellation(cancel) }
  }

  private func ended(_ id: Int, _ end: PhaseEnd) {
    guard let phase = phase(id) else { return }
    var metadata = ["phase.end": end.description]
    if let error = end.error { metadata["error"] = error }
    let isChild = phase.parent != nil
    say(isChild ? .debug : end.isFailed ? .error : .info, "phase ended", id, metadata)
    send(.ended, phase, end)
    tally.close(phase, at: environment.now())
    phase.board.close()
    release(id)
  }

  /// A child leaves its parent.
  private func release(_ id: Int) {
    guard let child = state.withLock({ $0.children.removeValue(forKey: id) }), let place = child.inside else { return }
    place.phase.leave(place)
  }

  func say(_ level: Logger.Level, _ message: String, _ id: Int, _ metadata: [String: String] = [:]) {
    guard log.takes(level), let phase = phase(id) else { return }
    log.write(level, message, metadata.merging(["phase.name": phase.path]) { $1 })
  }

  func send(_ kind: LifecycleEvent.Kind, _ phase: Phase, _ end: PhaseEnd? = nil) {
    let isChild = phase.parent != nil
    guard events.isHeard(ofChild: isChild) else {
      // Nobody who begins to read later is told of it then.
      _ = phase.announces(kind)
      return
    }
    events.send(LifecycleEvent(kind, phase: phase.path, end: end), ofChild: isChild) { phase.announces(kind) }
  }
}

extension LifecycleStateMachine.Outcome {
  /// How a body came back that threw.
  init(_ error: any Error) {
    switch error {
    case is CancellationError: self = .threwCancellation
    case let cut as CutShort: self = .cutShort(cut.reason)
    default: self = .threw("\(error)")
    }
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
    case .ready, .ended, .emptied, .opened, .stopPhase, .wake: true
    }
  }
}
