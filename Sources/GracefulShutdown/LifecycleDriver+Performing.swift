import Logging
import Synchronization

/// Performs what was decided: one decision after the other, none of which waits or runs code of the user.
extension LifecycleDriver {
  /// - Parameter emptied: Receives the phases whose gates are empty as they are closed: a hundred thousand of them are
  ///   reported together, not each with a turn of its own at the lock.
  func perform(_ decision: Decision, _ emptied: inout [Int]) {
    switch decision {
    case .phase(let phase, let action): perform(action, on: phase, &emptied)
    case .lifecycle(let action): perform(action)
    case .asked(let request): announce(request)
    case .began(let request): announceOwn(request)
    case .opened(let child): send(.started, child)
    }
  }

  /// What must not wait until it is performed in order; by any thread.
  func performAtOnce(_ action: LifecycleStateMachine.LifecycleAction) {
    switch action {
    case .wake(let instant): environment.schedule(at: .init(instant)) { [weak self] in self?.receive(.wake) }
    case .leave(let report):
      guard exiting else { break }
      // The end may have been decided this very moment; what was cut is in the report once that has been performed.
      environment.wait(atMost: .milliseconds(100)) { state.withLock { $0.report != nil || $0.areExitHooksTaken } }
      leave(with: state.withLock { $0.report } ?? complete(report), atOnce: true)
    case .finish(let report): if exiting { leaveAtDeadline(report) }
    case .lameDuck, .look, .lameDuckEnded, .ignored: break
    }
  }

  private func perform(_ action: LifecycleStateMachine.LifecycleAction) {
    switch action {
    case .lameDuck(let until): beginLameDuck(until: until)
    case .look(let instant): look(at: instant)
    case .lameDuckEnded(let report): endLameDuck(report)
    case .finish(let report): finish(complete(report))
    case .ignored(let reason): log.write(.debug, "ignored: \(reason)")
    case .wake, .leave: break
    }
  }

  private func perform(_ action: LifecycleStateMachine.PhaseAction, on phase: Phase, _ emptied: inout [Int]) {
    switch action {
    case .start: start(phase)
    case .ready:
      say(.info, "phase is ready", phase)
      send(.ready, phase)
    case .stoppedBeforeReady: send(.stoppedBeforeReady, phase)
    case .hear(let deadline): phase.tell(.stopRequested, deadline: deadline)
    case .drain(let deadline): drain(phase, deadline, &emptied)
    case .turn(let deadline): phase.tell(.turn, deadline: deadline)
    case .cut: cut(phase)
    case .cancel(let deadline):
      say(.warning, "phase \(failureToStart(of: phase) ?? "has not ended in time") and is cancelled", phase)
      send(.cancelled, phase)
      phase.tell(.cancelled, deadline: deadline)
      phase.beCancelled()
    case .abandon: abandon(phase)
    case .release(let end): ended(phase, end)
    case .restart(let reason, let delay):
      say(.warning, "phase came back and is started again", phase, ["error": reason, "restart.delay": delay.brief])
      send(.restarting, phase)
    case .refuse: phase.runs.refuse(phase.gate)
    case .hold: phase.runs.hold(phase.gate)
    case .admit: phase.runs.admit(phase.gate)
    case .waiting(let isWaiting):
      phase.runs.isWaiting = isWaiting
      if events.isHeard(ofChild: false) {
        events.send(LifecycleEvent(isWaiting ? .waiting : .resumed, phase: phase.path))
      }
    case .renew:
      tally.forget(phase)
      phase.runs.isWaiting = false
    case .done: say(.info, "phase has done its work", phase)
    }
  }

  private func failureToStart(of phase: Phase) -> String? {
    let failure = state.withLock { $0.machine.isKnown(phase.id) ? $0.machine[phase.id].startFailure : nil }
    return failure.map { "was \($0)" }
  }

  private func start(_ phase: Phase) {
    guard let (body, filter) = code.of(phase.id) else { return }
    say(.info, "phase starts", phase)
    send(.started, phase)
    let task = Task.detached(priority: .medium) { [self] in
      let outcome: LifecycleStateMachine.Outcome
      do {
        try await phase.perform(body)
        outcome = .returned
      } catch {
        let plain = LifecycleStateMachine.Outcome(error)
        // After a stop the filter has no say.
        outcome = !phase.isStopRequested && filter?(error) == false ? .forGood(plain) : plain
      }
      phase.cameBack()
      receive(.ended(phase.id, outcome))
    }
    phase.runs { task.cancel() }
  }

  private func drain(_ phase: Phase, _ deadline: MonotonicInstant, _ emptied: inout [Int]) {
    say(.debug, "phase is told to drain", phase)
    send(.draining, phase)
    // A tenth of a second is not noticed; and it costs nothing where there is no observer.
    let limit = min(.milliseconds(100), max(deadline - MonotonicInstant(environment.now()), .zero) / 4)
    let mustWait = events.settle(before: phase, within: limit) { [self] in
      // Later, by the thread of an observer or of a timer, while other decisions are performed.
      if closeForDrain(phase, deadline) { receive(.emptied(phase.id)) }
    }
    if !mustWait, closeForDrain(phase, deadline) { emptied.append(phase.id) }
  }

  /// - Returns: Whether the gate was empty as it was closed.
  private func closeForDrain(_ phase: Phase, _ deadline: MonotonicInstant) -> Bool {
    phase.tell(.drain, deadline: deadline)
    // Told first, closed then: a server that accepts has a chance to stop before what it accepted is refused.
    let id = phase.id
    // The thread that ends the last session only brings the news.
    return phase.gate.closeNow { [weak self] in self?.receive(.emptied(id)) }
  }

  func becameEmpty(_ ids: [Int]) {
    var rest = ids[...]
    while !rest.isEmpty {
      // Not a hundred thousand at once: other threads need the lock, too.
      let some = rest.prefix(256)
      rest = rest.dropFirst(256)
      act { state, now in some.flatMap { state.machine.receive(.emptied($0), at: now) } }
    }
  }

  private func cut(_ phase: Phase) {
    say(.warning, "phase has not drained in time, what is inside is cancelled", phase)
    tally.cut(phase, at: environment.now())
    // Handed over one by one: what a session's task has returned is the user's, and is not to be released by this thread.
    var cancels = Array(phase.gate.cancelAll().reversed())
    while let cancel = cancels.popLast() { environment.performCancellation(cancel) }
  }

  private func abandon(_ phase: Phase) {
    say(.error, "phase has not ended in time and is abandoned", phase)
    send(.ended, phase, .abandoned)
    // Nothing is admitted to a phase that is waited for no longer.
    phase.gate.close {}
    tally.close(phase, at: environment.now())
    phase.close()
    if phase.beGivenUp() { release(phase) }
  }

  private func ended(_ phase: Phase, _ end: PhaseEnd) {
    let isChild = phase.parent != nil
    say(
      isChild ? .debug : end.isFailed ? .error : .info, "phase ended", phase,
      ["phase.end": end.description].merging(end.error.map { ["error": $0] } ?? [:]) { $1 })
    send(.ended, phase, end)
    tally.close(phase, at: environment.now())
    release(phase)
  }

  /// The phase is over for all that wait for its end; a child leaves its parent.
  func release(_ phase: Phase) {
    guard phase.isReleased() else { return }
    phase.close()
    if let place = phase.inside { place.phase.leave(place) }
  }

  func say(
    _ level: Logger.Level, _ message: String, _ phase: Phase, _ metadata: @autoclosure () -> [String: String] = [:]
  ) {
    guard log.takes(level) else { return }
    log.write(level, message, metadata().merging(["phase.name": phase.path]) { $1 })
  }

  func send(_ kind: LifecycleEvent.Kind, _ phase: Phase, _ end: PhaseEnd? = nil) {
    let isChild = phase.parent != nil
    guard events.isHeard(ofChild: isChild) else { return }
    events.send(LifecycleEvent(kind, phase: phase.path, end: end), ofChild: isChild)
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
