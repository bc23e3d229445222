import Logging
import Synchronization

/// Does what was decided.
extension LifecycleDriver {
  /// - Parameter found: Where gates are noted that are empty as they are closed; they are told of at once without it.
  func perform(_ deed: Deed, finding found: OwnEmptiedGates? = nil) {
    switch deed.action {
    case .wake(let instant):
      environment.schedule(at: .init(instant)) { [weak self] in self?.receive(.wake) }
    case .lameDuck(let until): beginLameDuck(until: until)
    case .look(let instant): look(at: instant)
    case .lameDuckEnded(let report): endLameDuck(report)
    case .finish(let report):
      conclude(report)
      finish(complete(report))
    case .leave(let report):
      // Another thread may be about to finish.
      if exiting { leave(with: state.withLock { $0.report } ?? complete(report), atOnce: true) }
    case .ignored(let reason): log.write(.debug, "ignored: \(reason)")
    case .start, .ready, .stoppedBeforeReady, .hear, .drain, .turn, .cut, .cancel, .abandon, .restart, .refuse, .hold,
      .admit,
      .waiting,
      .renew,
      .done,
      .release:
      // One that is gone hears nothing.
      if let phase = deed.phase { perform(deed, on: phase, finding: found) }
    }
  }

  private func perform(_ deed: Deed, on phase: Phase, finding found: OwnEmptiedGates?) {
    switch deed.action {
    case .start: start(phase)
    case .ready:
      say(.info, "phase is ready", phase)
      send(.ready, phase)
    case .stoppedBeforeReady: send(.stoppedBeforeReady, phase)
    case .hear(_, let deadline): phase.tell(.stopRequested, deadline: deadline)
    case .drain(_, let deadline): drain(phase, deadline, finding: found)
    case .turn(_, let deadline): phase.tell(.turn, deadline: deadline)
    case .cut: cut(phase)
    case .cancel(_, let deadline):
      say(.warning, "phase has not ended in time and is cancelled", phase)
      send(.cancelled, phase)
      phase.tell(.cancelled, deadline: deadline)
      phase.beCancelled()
    case .abandon: abandon(phase)
    case .release(_, let end): ended(phase, end)
    case .restart(_, let reason, let delay):
      say(.warning, "phase came back and is started again", phase, ["error": reason, "restart.delay": delay.brief])
      send(.restarting, phase)
    case .refuse: phase.runs.refuse(phase.gate, by: deed.number)
    case .hold: phase.runs.hold(phase.gate, by: deed.number)
    case .admit: phase.runs.admit(phase.gate, by: deed.number)
    case .waiting(_, let isWaiting): wait(phase, isWaiting, by: deed.number)
    case .renew:
      tally.begin(phase)
      phase.runs.beWaiting(false, by: deed.number)
    case .done: say(.info, "phase has done its work", phase)
    case .wake, .lameDuck, .look, .lameDuckEnded, .finish, .leave, .ignored: break
    }
  }

  private func start(_ phase: Phase) {
    say(.info, "phase starts", phase)
    send(.started, phase)
    let (body, filter) = (bodies[phase.id], filters[phase.id])
    let task = Task.detached(priority: .medium) { [self] in
      let outcome: LifecycleStateMachine.Outcome
      do {
        try await phase.perform(body)
        outcome = .returned
      } catch {
        let plain = LifecycleStateMachine.Outcome(error)
        // After a stop it has no say.
        outcome = !phase.isStopRequested && filter?(error) == false ? .forGood(plain) : plain
      }
      phase.cameBack()
      receive(.ended(phase.id, outcome))
    }
    phase.runs { task.cancel() }
  }

  private func drain(_ phase: Phase, _ deadline: MonotonicInstant, finding found: OwnEmptiedGates?) {
    say(.debug, "phase is told to drain", phase)
    send(.draining, phase)
    // Nobody notices a tenth of a second; and it costs nothing where nobody observes.
    let limit = min(.milliseconds(100), max(deadline - MonotonicInstant(environment.now()), .zero) / 4)
    events.settle(before: phase, within: limit) { [self] in
      phase.tell(.drain, deadline: deadline)
      // Told first, closed then: whoever accepts has a chance to stop before what it accepted is refused.
      let gate = EmptiedGate(id: phase.id, round: phase.round)
      let isEmpty = phase.gate.closeNow { [weak self] in self?.tell(of: gate) }
      // Later, by another thread, when somebody observes: then nobody collects any more.
      if isEmpty, found?.add(gate) != true { tell(of: gate) }
    }
  }

  private func tell(of gate: EmptiedGate) { emptied.tell([gate]) { becameEmpty($0) } }

  func becameEmpty(_ news: [EmptiedGate]) {
    var rest = news[...]
    while !rest.isEmpty {
      // Not a hundred thousand at once: others need the lock, too.
      let some = rest.prefix(256)
      rest = rest.dropFirst(256)
      act { state, now in
        // A round does not end before this, so it is never another one.
        some.flatMap { gate in
          state.isRound(gate.round, of: gate.id) ? state.machine.receive(.emptied(gate.id), at: now) : []
        }
      }
    }
  }

  private func cut(_ phase: Phase) {
    say(.warning, "phase has not drained in time, what is inside is cancelled", phase)
    tally.cut(phase, at: environment.now())
    for cancel in phase.gate.cancelAll() { environment.performCancellation(cancel) }
  }

  private func abandon(_ phase: Phase) {
    say(.error, "phase has not ended in time and is abandoned", phase)
    send(.ended, phase, .abandoned)
    // Nobody is admitted to what nobody waits for.
    phase.gate.close {}
    tally.close(phase, at: environment.now())
    phase.moments.close()
    if phase.beGivenUp() { release(phase) }
  }

  private func ended(_ phase: Phase, _ end: PhaseEnd) {
    let isChild = phase.parent != nil
    say(
      isChild ? .debug : end.isFailed ? .error : .info, "phase ended", phase,
      ["phase.end": end.description].merging(end.error.map { ["error": $0] } ?? [:]) { $1 })
    send(.ended, phase, end)
    tally.close(phase, at: environment.now())
    phase.moments.close()
    release(phase)
  }

  /// A child leaves its parent.
  func release(_ phase: Phase) {
    guard let place = phase.inside, phase.isReleased() else { return }
    place.phase.leave(place)
  }

  private func wait(_ phase: Phase, _ isWaiting: Bool, by decision: Int) {
    guard events.isHeard(ofChild: false) else {
      phase.runs.beWaiting(isWaiting, by: decision)
      return
    }
    events.send(LifecycleEvent(isWaiting ? .waiting : .resumed, phase: phase.path)) {
      phase.runs.beWaiting(isWaiting, by: decision)
    }
  }

  func say(
    _ level: Logger.Level, _ message: String, _ phase: Phase, _ metadata: @autoclosure () -> [String: String] = [:]
  ) {
    guard log.takes(level) else { return }
    log.write(level, message, metadata().merging(["phase.name": phase.path]) { $1 })
  }

  /// - Parameter run: The phase's own, unless it is another one.
  func send(_ kind: LifecycleEvent.Kind, _ phase: Phase, _ end: PhaseEnd? = nil, of run: Int? = nil) {
    let run = run ?? phase.run
    let isChild = phase.parent != nil
    guard events.isHeard(ofChild: isChild) else {
      // Nobody who begins to read later is told of it then.
      _ = phase.runs.announces(kind, of: run)
      return
    }
    events.send(LifecycleEvent(kind, phase: phase.path, end: end), ofChild: isChild) {
      phase.runs.announces(kind, of: run)
    }
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
