import Logging
import Synchronization

/// Performs what the state machine decides.
///
/// Actions are performed outside the lock, by whichever thread brought the event, and none of them waits: so no thread
/// can hold up another, also when it is stuck in code of the user. Two threads may therefore perform in the wrong order;
/// what a phase is told is made so that this does not show (``MomentBoard``).
final class LifecycleDriver: Sendable {
  private struct State {
    var machine: LifecycleStateMachine
    /// Those that were opened while the program runs, and have not ended.
    var children: [Int: Phase] = [:]
    var nextChild: Int
    var report: LifecycleReport?
    var isReportWritten = false
    var waiters: [CheckedContinuation<LifecycleReport, Never>] = []
  }

  private let state: Mutex<State>
  private let phases: [Phase]
  private let bodies: [Lifecycle.Body]
  /// Which errors a phase is started again for; all of them, where there is none.
  private let filters: [Lifecycle.RestartFilter?]
  private let environment: any LifecycleEnvironment
  private let log: LifecycleLog
  private let tally = SessionTally()
  private let emptied = EmptiedGates()
  private let events: LifecycleEventBroadcast
  private let exiting: Bool

  init(
    _ machine: LifecycleStateMachine, bodies: [Lifecycle.Body], filters: [Lifecycle.RestartFilter?],
    environment: any LifecycleEnvironment,
    log: LifecycleLog, events: LifecycleEventBroadcast, exiting: Bool
  ) {
    let names = machine.graph.nodes.map(\.name)
    state = Mutex(State(machine: machine, nextChild: names.count))
    self.bodies = bodies
    self.filters = filters
    self.environment = environment
    self.log = log
    self.events = events
    self.exiting = exiting
    // All of them from the beginning: what is said to one must find it, whichever thread starts it.
    let link = DriverLink()
    phases = names.enumerated().map { Phase(name: $1, id: $0, environment: environment, link: link) }
    link.set(self)
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

  func run() async -> LifecycleReport {
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
      requestStop(StopRequest(who: .cancellation, urgency: .cancelNow))
    }
    await log.flush()
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

  func becomeReady(_ id: Int) {
    say(.info, "phase is ready", id)
    send(.ready, phases[id])
    receive(.ready(id))
  }

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
    let now = environment.now()
    let (machine, children) = state.withLock { ($0.machine, $0.children) }
    return LifecycleSnapshot(machine, at: now) { id in
      (id < phases.count ? phases[id] : children[id])?.gate
    }
  }

  private func receive(_ event: LifecycleStateMachine.Event) {
    // The time is read under the lock, so that it never runs backwards for the machine.
    let actions = state.withLock { $0.machine.receive(event, at: environment.now()) }
    for action in actions { perform(action) }
  }

  private func phase(_ id: Int) -> Phase? {
    id < phases.count ? phases[id] : state.withLock { $0.children[id] }
  }

  private func perform(_ action: LifecycleStateMachine.Action) {
    switch action {
    case .start(let id): start(id)
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
    case .restart(let id, let reason, let delay):
      say(.warning, "phase came back and is started again", id, ["error": reason, "restart.delay": delay.brief])
      send(.restarting, phases[id])
    case .refuse(let id): phases[id].pause(waiting: false)
    case .hold(let id): phases[id].pause(waiting: true)
    case .admit(let id): phases[id].goOn()
    case .waiting(let id, let isWaiting):
      phases[id].beWaiting(isWaiting)
      send(isWaiting ? .waiting : .ready, phases[id])
    case .renew(let id): phases[id].renew()
    case .done(let id): say(.info, "phase has done its work", id)
    case .wake(let instant):
      environment.schedule(at: instant) { [weak self] in self?.receive(.wake) }
    case .finish(let report):
      conclude(report)
      finish(tally.complete(report))
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
        outcome = .init(error, isForGood: filters[id]?(error) == false)
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
    phase.tell(.drain, deadline: deadline)
    // Told first, closed then: whoever accepts has a chance to stop before what it accepted is refused.
    phase.gate.close { [weak self] in self?.becameEmpty(id) }
  }

  private func becameEmpty(_ id: Int) {
    emptied.tell(id) { receive(.emptied($0)) }
  }

  private func cut(_ id: Int) {
    guard let phase = phase(id) else { return }
    say(.warning, "phase has not drained in time, what is inside is cancelled", id)
    tally.cut(phase, at: environment.now())
    for cancel in phase.gate.cancelAll() { environment.perform(cancel) }
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

  /// Another thread may have brought the end of a phase and not come yet to what follows from it, while this one brings
  /// the end of all: what has to be said of each phase, is said before.
  private func conclude(_ report: LifecycleReport) {
    for ended in report.phases where ended.end != .neverStarted {
      guard let phase = phase(ended.id) else { continue }
      send(.ended, phase, ended.end)
      tally.close(phase, at: environment.now())
    }
  }

  private func finish(_ report: LifecycleReport) {
    log.write(report.exitCode == 0 ? .notice : .error, report.summary, report.logMetadata)
    events.finish(report)
    if exiting {
      // The caller of `run()` may never run again: every thread of the pool may be blocked.
      if report.isForced { leave(with: report, atOnce: true) }
      // And if everything ended well, but the caller does not come back or the exit itself is stuck.
      environment.schedule(at: environment.now() + max(report.grace - report.took, .zero)) { [self] in
        leave(with: report, atOnce: true)
      }
    }
    let waiters = state.withLock { state in
      state.report = report
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume(returning: report) }
  }

  private func leave(with report: LifecycleReport, atOnce: Bool) {
    let isWritten = state.withLock { state in
      defer { state.isReportWritten = true }
      return state.isReportWritten
    }
    if !isWritten { environment.write(report: report) }
    environment.exit(report.exitCode, atOnce: atOnce)
  }

  private func say(_ level: Logger.Level, _ message: String, _ id: Int, _ metadata: [String: String] = [:]) {
    guard log.takes(level), let phase = phase(id) else { return }
    log.write(level, message, metadata.merging(["phase.name": phase.path]) { $1 })
  }

  private func send(_ kind: LifecycleEvent.Kind, _ phase: Phase, _ end: PhaseEnd? = nil) {
    guard events.isHeard else {
      // Nobody who begins to read later is told of it then.
      _ = phase.announces(kind)
      return
    }
    events.send(LifecycleEvent(kind, phase: phase.path, end: end)) { phase.announces(kind) }
  }
}

extension LifecycleStateMachine.Outcome {
  /// How a body came back that threw.
  init(_ error: any Error, isForGood: Bool = false) {
    switch error {
    case is CancellationError: self = .threwCancellation
    case _ where isForGood: self = .threwForGood("\(error)")
    case let cut as CutShort: self = .cutShort(cut.reason)
    default: self = .threw("\(error)")
    }
  }
}
