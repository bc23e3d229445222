/// Opens a phase below the one in which the current task runs, and waits for its end.
///
/// See ``Phase/withPhase(_:limit:_:)``.
/// - Throws: ``PhaseError`` when the task runs in no phase (``Phase/current`` is `nil`) or the phase is too late; and what
///   `body` throws.
public func withPhase<Result: Sendable>(
  _ name: String, limit: Duration? = nil, _ body: @escaping @Sendable (Phase) async throws -> Result
) async throws -> Result {
  guard let phase = Phase.current else { throw PhaseError.outsideAnyPhase("phase \"\(name)\"") }
  return try await phase.withPhase(name, limit: limit, body)
}

extension Phase {
  /// The phase in which the current task runs: the innermost that is open around it.
  ///
  /// It is found through the task, also by code that was handed nothing, in child tasks and in `Task { }`. It is `nil`
  /// outside any phase, and where task-local values do not reach: in `Task.detached`, in callbacks of Dispatch and of
  /// event loops. There, use a phase at hand.
  public static var current: Phase? { place?.phase }

  /// Opens a phase below this one while the program runs, and waits for its end.
  ///
  /// It hears a stop together with all others, is told to drain together with this one, and this one has its turn only
  /// when it has ended. It ends when `body` has come back and its own sessions and child phases have ended. `body` runs in
  /// a task of its own, which is what is cancelled when its time is over. When the task of the caller is cancelled, the
  /// phase stops: those inside it first, then `body` is cancelled.
  ///
  /// Opened from inside a session of a phase that drains already, it drains from the beginning: `body` does its work, has
  /// its turn at once, and opens no sessions of this phase; those of the phase above it may.
  ///
  /// What `body` throws goes to the caller, and is no failure of the lifecycle.
  /// - Parameters:
  ///   - name: For the report and the log; need not be unique.
  ///   - limit: How long it may take to stop, clipped to what the phase above has. With zero or less it is cancelled as
  ///     soon as it is told to drain.
  /// - Throws: ``PhaseError`` when this phase has been told to drain and the task is not inside a session of it; and what
  ///   `body` throws.
  public func withPhase<Result: Sendable>(
    _ name: String, limit: Duration? = nil, _ body: @escaping @Sendable (Phase) async throws -> Result
  ) async throws -> Result {
    // Admitted or refused by one atomic operation: from here on the parent waits for the child.
    guard let driver = link.driver, let place = enter() else {
      throw PhaseError.refused("phase \"\(name)\"", by: self.name)
    }
    let child = driver.open(name, limit: limit?.bounded, at: place)
    let task = Task {
      do {
        let result = try await child.perform(body)
        driver.bodyEnded(child, .returned)
        return result
      } catch {
        driver.bodyEnded(child, .init(error))
        throw error
      }
    }
    child.runs { task.cancel() }
    return try await withTaskCancellationHandler {
      // In this order: most have ended when their body is back, and then the caller is woken up once, not twice.
      let result = await task.result
      await child.moments.waitUntilClosed()
      return try result.get()
    } onCancel: {
      driver.stopAlone(child, .cancelNow)
    }
  }

  /// Runs a body in this phase: with it as the current one, and with whatever the environment puts around it.
  func perform<Result: Sendable>(_ body: @escaping @Sendable (Phase) async throws -> Result) async throws -> Result {
    if run > 0 { comesBack() }
    return try await Phase.at(Place(body: self, within: inside)) {
      try await environment.surround(self) { try await body(self) }
    }
  }
}
