internal import CGracefulSystem
package import GracefulShutdown
internal import Synchronization

/// Watches for stop files on a thread of its own; no thread of Swift's cooperative pool has a part in it (S9).
package final class StopFileWatchDriver: Sendable {
  private let files: StopFiles
  private let calls: StopFileCalls
  private let wake: WakePipe
  private let begun: WakePipe
  private let teller: StopFileTeller
  private let heard: @Sendable (StopRequest) -> Void
  private let isPassedOn: @Sendable () -> Bool
  private let state = Mutex(State())

  private struct State {
    var hasLeft = false
    /// Of the first round, once it is done.
    var beginning: Result<Void, StopFileError>?
    /// Whether there is still somebody to throw its error to.
    var isAwaited = true
  }

  /// Looks at the directory, removes what an earlier run has left in it, and starts to watch.
  ///
  /// When this returns, no request is missed, unless the disk did not answer within a second: then it is waited for
  /// elsewhere. `heard` is called on the thread of the watch, and holds it up.
  /// - Parameters:
  ///   - told: Hear of refusals, beside ``StopFiles/onRefusal``.
  ///   - isPassedOn: Whether a successor has taken over: requests are for that one from then on.
  /// - Throws: When the directory is there and cannot be used; when no descriptor or thread is left.
  package init(
    _ files: StopFiles, pace: StopFileWatchStateMachine.Pace = .init(),
    told: [@Sendable (StopFileRefusal) -> Void] = [], isPassedOn: @escaping @Sendable () -> Bool = { false },
    heard: @escaping @Sendable (StopRequest) -> Void
  ) throws(StopFileError) {
    try files.checkNames()
    self.files = files
    calls = files.calls
    self.heard = heard
    self.isPassedOn = isPassedOn
    wake = try WakePipe(calls: calls)
    begun = try WakePipe(calls: calls)
    teller = StopFileTeller(told + [files.onRefusal].compactMap { $0 }, calls: calls)
    let result = calls.startThread("graceful-files") { [self] in watch(pace) }
    guard result >= 0 else { throw StopFileError("pthread_create", files.requestPath, result: result) }
    try waitForBeginning()
  }

  /// Stops watching.
  ///
  /// May be called more than once. A request that is on its way already may still arrive.
  package func leave() {
    state.withLock { $0.hasLeft = true }
    wake.wake()
  }

  private func waitForBeginning() throws(StopFileError) {
    let limit = ContinuousClock.now + .seconds(1)
    while .now < limit {
      if state.withLock({ $0.beginning != nil }) { break }
      let left = Int32(max(.zero, limit - .now) / .milliseconds(1)) + 1
      if calls.poll([begun.reader], left) == nil { _ = cgs_poll(nil, 0, 1) }
    }
    let beginning = state.withLock { state in
      state.isAwaited = false
      return state.beginning
    }
    try beginning?.get()
  }

  // MARK: The thread

  private func watch(_ pace: StopFileWatchStateMachine.Pace) {
    let started = ProcessStart.wallClock(calls: calls) ?? calls.wallClock()
    var machine = StopFileWatchStateMachine(
      rules: StopFileRules(user: cgs_effective_user()), started: started, pace: pace)
    var watch = DirectoryWatch(names: [files.request], wake: wake.reader, calls: calls)
    var told: [StopFileRefusal] = []
    var until = perform(.began, &machine, &watch) { place, objection in
      told.append(StopFileRefusal(path: path(of: place), reason: .init(kind: objection)))
    }
    let unusable = told.first { $0.path == files.directory && $0.reason.kind != .noDirectory }
    let isThrown = state.withLock { state in
      state.beginning =
        unusable.map { .failure(StopFileError(.notAllowed, path: $0.path, $0.reason.description)) } ?? .success(())
      return unusable != nil && state.isAwaited
    }
    begun.wake()
    if isThrown { return }
    for refusal in told { teller.tell(refusal) }
    while let instant = until {
      let change = watch.wait(until: instant)
      let event: StopFileWatchStateMachine.Event
      if state.withLock({ $0.hasLeft }) {
        event = .left
      } else if change.contains(.ended) {
        event = .ended
      } else if change.contains(.changed) {
        event = .changed
      } else if change.contains(.due) {
        event = .due
      } else {
        continue
      }
      until = perform(event, &machine, &watch) { place, objection in
        teller.tell(StopFileRefusal(path: path(of: place), reason: .init(kind: objection)))
      }
    }
  }

  private func path(of place: StopFileWatchStateMachine.Place) -> String {
    switch place {
    case .directory: files.directory
    case .request: files.requestPath
    case .answer: files.answerPath
    }
  }

  /// One round.
  ///
  /// - Returns: Until when to wait; `nil` when it has left.
  private func perform(
    _ event: StopFileWatchStateMachine.Event, _ machine: inout StopFileWatchStateMachine,
    _ watch: inout DirectoryWatch, tell: (StopFileWatchStateMachine.Place, StopFileObjection) -> Void
  ) -> ContinuousClock.Instant? {
    var until: ContinuousClock.Instant?
    var events = [event][...]
    while let event = events.popFirst() {
      for action in machine.receive(event, at: .now) {
        switch action {
        case .lookAtDirectory:
          let look = calls.status(files.directory + "/.")
          let result = if case .found = look { calls.mayChangeEntries(files.directory) } else { Int32(0) }
          events.append(.directory(look, access: max(0, -result)))
        case .clear: events.append(.cleared(max(0, -calls.unlink(files.answerPath))))
        case .arm: events.append(.armed(watch.arm(files.directory)))
        case .disarm: watch.disarm()
        case .lookAtRequest: events.append(.request(calls.status(files.requestPath)))
        case .removeRequest:
          events.append(isPassedOn() ? .left : .removed(max(0, -calls.unlink(files.requestPath))))
        case .ask: heard(StopRequest(who: .file(files.requestPath)))
        case .tell(let place, let objection): tell(place, objection)
        case .wait(let instant): until = instant
        }
      }
    }
    return until
  }
}
