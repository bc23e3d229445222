internal import CGracefulSystem
internal import GracefulSystem
package import GracefulShutdown
internal import Synchronization

/// Watches for stop files on a thread of its own; no thread of Swift's cooperative pool has a part in it (S9).
package final class StopFileWatchDriver: Sendable {
  private let files: StopFiles
  private let calls: StopFileCalls
  private let wake: WakePipe
  private let begun: WakePipe
  private let teller: StopFileRefusalReporter
  private let heard: @Sendable (StopRequest) -> Void
  private let succession: Succession
  private let isPassedOn: @Sendable () -> Bool
  private let state = Mutex(State())

  private struct State {
    var hasLeft = false
    var hasPassedOn = false
    /// Whether a stop may be asked for: what was answered last, until it is heard.
    var decided: Bool?
    /// Held until the last word.
    var lock: StopFileLock?
    var isReleased = false
    var isHeldByAnother = false
    /// Of the first round, once it is done.
    var beginning: Result<Void, StopFileError>?
    /// Whether there is still a caller to throw its error to.
    var isAwaited = true
  }

  /// Looks at the directory, removes what an earlier run has left in it, and starts to watch.
  ///
  /// When this returns, no request is missed, unless the disk did not answer within a second: then it is waited for
  /// elsewhere. `heard` is called on the thread of the watch, and holds it up.
  /// - Parameters:
  ///   - told: Hear of refusals, beside ``StopFiles/onRefusal``.
  ///   - succession: Whether this is the process to be stopped: while a handover is going on, and after it, requests are left
  ///     for the successor.
  ///   - isPassedOn: Whether a successor is known to have taken over by other means.
  /// - Throws: When the directory is there and cannot be used; when no descriptor or thread is left.
  package init(
    _ files: StopFiles, pace: StopFileWatchStateMachine.Pace = .init(),
    told: [@Sendable (StopFileRefusal) -> Void] = [], succession: Succession = Succession(),
    isPassedOn: @escaping @Sendable () -> Bool = { false },
    heard: @escaping @Sendable (StopRequest) -> Void
  ) throws(StopFileError) {
    try files.checkNames()
    self.files = files
    calls = files.calls
    self.heard = heard
    self.succession = succession
    self.isPassedOn = isPassedOn
    do throws(SystemError) {
      wake = try calls.pipe()
      begun = try calls.pipe()
    } catch {
      throw StopFileError(error, "stop files")
    }
    teller = StopFileRefusalReporter(told + [files.onRefusal].compactMap { $0 }, calls: calls)
    let result = calls.startThread("graceful-files") { [self] in watch(pace) }
    guard result >= 0 else { throw StopFileError("pthread_create", files.requestPath, result: result) }
    try waitForBeginning()
  }

  /// Stops watching, and lets another process answer.
  ///
  /// May be called more than once. A request that is on its way already may still arrive.
  package func leave() {
    stopWatching()
    release()
  }

  /// Stops watching; until ``release()`` no other process answers.
  package func stopWatching() {
    state.withLock { $0.hasLeft = true }
    wake.wake()
  }

  /// Leaves what comes from now on to the successor.
  package func passOn() {
    state.withLock { $0.hasPassedOn = true }
    wake.wake()
  }

  /// Lets another process answer.
  package func release() {
    let lock = state.withLock { state in
      state.isReleased = true
      defer { state.lock = nil }
      return state.lock
    }
    lock?.release(calls)
  }

  private func waitForBeginning() throws(StopFileError) {
    let limit = ContinuousClock.now + .seconds(1)
    while .now < limit {
      if state.withLock({ $0.beginning != nil }) { break }
      let left = Int32(max(.zero, limit - .now) / .milliseconds(1)) + 1
      if calls.changes.poll([begun.reader], left) == nil { PollTimeout.pause(.milliseconds(1)) }
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
    var watch = DirectoryWatch(names: [files.request], wake: wake.reader, calls: calls.changes)
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
    // Later than the beginning: a directory of all users may be a long one.
    StopFileLeftovers.remove(files, user: cgs_effective_user())
    while let instant = until {
      let change = watch.wait(until: instant)
      let event: StopFileWatchStateMachine.Event
      // Before the words are taken: the next one wakes again.
      if change.contains(.woken) { wake.drain() }
      if let word = takeWord() {
        event = word
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

  /// Whether it is this process that answers, or that cannot be known.
  var isAnswering: Bool { state.withLock { !$0.isHeldByAnother } }

  /// What others have said.
  private func takeWord() -> StopFileWatchStateMachine.Event? {
    state.withLock { state in
      if state.hasPassedOn { return .passedOn }
      if state.hasLeft { return .left }
      defer { state.decided = nil }
      return state.decided.map { .decided($0) }
    }
  }

  private func claim() -> StopFileWatchStateMachine.Claim {
    if let lock = state.withLock({ $0.lock }) {
      if lock.isThere(calls) { return .ours }
      // Of a directory that has gone.
      state.withLock { $0.lock = nil }
      calls.close(lock.descriptor)
    }
    let outcome = StopFileLock.take(files.requestPath + ".lock", calls: calls)
    state.withLock { $0.isHeldByAnother = outcome == .held }
    switch outcome {
    case .held: return .held
    case .failed(let errno): return .unknown(errno)
    case .ours(let lock):
      let isKept = state.withLock { state in
        if !state.isReleased { state.lock = lock }
        return !state.isReleased
      }
      if !isKept { lock.release(calls) }
      return isKept ? .ours : .held
    }
  }

  private func path(of place: StopFileWatchStateMachine.Place) -> String {
    switch place {
    case .directory: files.directory
    case .request: files.requestPath
    case .answer: files.answerPath
    case .lock: files.requestPath + ".lock"
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
        case .claim: events.append(.claimed(claim()))
        case .lookAtPermission:
          if isPassedOn() { passOn() }
          events.append(takeWord() ?? .permission(succession.refusal == nil))
        case .removeRequest: events.append(.removed(max(0, -calls.unlink(files.requestPath))))
        case .requestPermission:
          succession.requestPermission { [self] reason in
            state.withLock { $0.decided = reason == nil }
            wake.wake()
          }
          // Known at once where there is no handover.
          if let word = takeWord() { events.append(word) }
        case .putBack:
          let file = calls.create(files.requestPath, 0o600)
          if file >= 0 { calls.close(file) }
        case .ask: heard(StopRequest(source: .file(files.requestPath)))
        case .tell(let place, let objection): tell(place, objection)
        case .wait(let instant): until = instant
        }
      }
    }
    if until == nil, state.withLock({ $0.hasPassedOn }) { release() }
    return until
  }
}
