extension Phase {
  /// Begins a session where there is no scope for it: a channel handler, a callback.
  ///
  /// One atomic operation. The phase cleans up only after the session has ended (``Session``).
  ///
  /// From the moment on that the phase drains it is refused, unless it is called from within a session of this phase: by
  /// the task of a scoped one, or a task that this started. Where there is none, ``Session/beginSession(_:)`` does it.
  ///
  /// - Parameter name: For the stragglers in the report, with its age; without one it is only counted, and costs less.
  /// - Throws: ``PhaseError`` with the code `refused`.
  public func beginSession(_ name: String? = nil) throws(PhaseError) -> Session {
    Session(in: try admit(name), name: name)
  }

  @inline(__always)
  private func admit(_ name: String?) throws(PhaseError) -> SessionStripe {
    if let stripe = gate.begin() { return stripe }
    return try admitInside(name)
  }

  @inline(never)
  private func admitInside(_ name: String?) throws(PhaseError) -> SessionStripe {
    if let stripe = Phase.place?.open(self, { $0.admitInside() }) { return stripe }
    if isComingBack, let stripe = gate.beginWhilePaused() { return stripe }
    gate.refuse()
    throw .refused(PhaseError.session(name), by: self.name)
  }

  /// Runs `body` as a session of this phase, in the task of the caller.
  ///
  /// ```swift
  /// try await web.withSession("POST /orders") { … }
  /// ```
  ///
  /// The phase cleans up only after `body` has come back. It hears the stop as its phase does (``isStopRequested``,
  /// ``stopRequested()``), and is never cancelled by the lifecycle: nothing reaches the task of the caller, which may have
  /// more to do. For a session that shall be cancelled then, see ``withSession(_:cancellable:_:)``.
  ///
  /// Sessions that `body` opens in turn, it or a task that it starts, are admitted also while the phase drains.
  /// - Parameters:
  ///   - name: For the stragglers in the report, with its age; without one it is only counted, and costs less.
  ///   - isolation: The actor of the caller, on which `body` runs.
  /// - Throws: ``PhaseError`` with the code `refused`, and then `body` is not called; what `body` throws, which counts the
  ///   session as failed.
  @inlinable
  public func withSession<Result>(
    _ name: String? = nil, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
  ) async throws -> Result {
    try await withSession(name, from: Phase.place, isolation: isolation, body)
  }

  /// Inlined, with the run-time library's part of it, for that halves what a scoped session costs (measured: 230 ns, 120).
  @inlinable @inline(__always)
  func withSession<Result>(
    _ name: String?, from here: Place?, isolation: isolated (any Actor)?, _ body: () async throws -> Result
  ) async throws -> Result {
    let admission = try await admitWhenTaken(name)
    let session = admission.begin(name)
    let place = admission.place(openedFrom: here)
    do {
      let result = try await Phase.placeInTask.withValue(place, operation: body)
      session.end()
      return result
    } catch {
      admission.end(session, for: error)
      throw error
    }
  }

  /// Waits while the phase restarts, if its policy says so.
  @usableFromInline
  nonisolated(nonsending) func admitWhenTaken(_ name: String?) async throws(PhaseError) -> Admission {
    if let stripe = gate.begin() { return Admission(phase: self, stripe: stripe) }
    if isComingBack, let stripe = gate.beginWhilePaused() { return Admission(phase: self, stripe: stripe) }
    // The body itself would wait for what it is to say.
    var mayWait = Phase.place?.isBody(of: self) != true
    while mayWait {
      mayWait = await runs.waitWhileHeld()
      // The run that goes on, which may have a gate of its own; or it has just gone on, before there was a wait.
      let phase = mayWait ? link.driver?.currentRun(of: self) ?? self : self
      if let stripe = phase.gate.begin() { return Admission(phase: phase, stripe: stripe) }
    }
    return Admission(phase: self, stripe: try admitInside(name))
  }

  /// Runs `body` as a session of this phase, in a task of its own, so that it can be cancelled alone.
  ///
  /// When the time of the drain is over, that task is cancelled, never the caller's, which stays as it was. Cancelling the
  /// caller cancels the session, too.
  ///
  /// - Parameters:
  ///   - name: For the stragglers in the report, with its age.
  ///   - cancellable: Whether it is; when not, this is ``withSession(_:isolation:_:)``.
  /// - Throws: ``PhaseError`` with the code `refused`, and then `body` is not called; what `body` throws. A
  ///   `CancellationError` after the lifecycle has cancelled counts the session as cancelled, everything else as failed.
  public func withSession<Result: Sendable>(
    _ name: String? = nil, cancellable: Bool, _ body: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    guard cancellable else { return try await withSession(name, body) }
    let admission = try await admitWhenTaken(name)
    let stripe = admission.stripe
    // Noted with or without a name: by its slot it is found when all are cancelled.
    let slot = stripe.note(name: name)
    let session = Session(in: stripe, slot: slot)
    let place = admission.place(openedFrom: Phase.place)
    let task = Task { try await Phase.at(place, body) }
    admission.phase.gate.attach({ task.cancel() }, to: slot, in: stripe)
    do {
      let result = try await withTaskCancellationHandler {
        try await task.value
      } onCancel: {
        task.cancel()
      }
      session.end()
      return result
    } catch {
      admission.end(session, for: error)
      throw error
    }
  }
}

/// Runs `body` as a session of the phase that the current task is in (``Phase/current``).
///
/// Otherwise as ``Phase/withSession(_:isolation:_:)``.
///
/// - Throws: ``PhaseError``, also with the code `outsideAnyPhase`; what `body` throws.
@inlinable
public func withSession<Result>(
  _ name: String? = nil, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
) async throws -> Result {
  guard let place = Phase.place else { throw PhaseError.outsideAnyPhase(session: name) }
  return try await place.phase.withSession(name, from: place, isolation: isolation, body)
}

/// Runs `body` as a session of the phase that the current task is in, in a task of its own.
///
/// Otherwise as ``Phase/withSession(_:cancellable:_:)``.
///
/// - Throws: ``PhaseError``, also with the code `outsideAnyPhase`; what `body` throws.
public func withSession<Result: Sendable>(
  _ name: String? = nil, cancellable: Bool, _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
  guard let phase = Phase.current else { throw PhaseError.outsideAnyPhase(session: name) }
  return try await phase.withSession(name, cancellable: cancellable, body)
}
