extension Phase {
  /// Runs an operation, and meanwhile has a handler called when a moment comes.
  ///
  /// The handler is called at most once, outside any lock, on a thread that it may block (up to 64 that do,
  /// then others wait for it); it does not have the
  /// task-local values of its caller. When the moment has passed already it is called at once, and the
  /// operation runs all the same. When this returns, the handler is not running and never will.
  /// - Throws: What the operation throws.
  public nonisolated(nonsending) func withHandler<Result>(
    at moment: Moment, _ handler: @escaping @Sendable () -> Void, operation: () async throws -> Result
  ) async rethrows -> Result {
    let registration = register(at: moment, handler)
    do {
      let result = try await operation()
      await registration.leave()
      return result
    } catch {
      await registration.leave()
      throw error
    }
  }

  /// Runs code that knows only task cancellation, in a task of its own that is cancelled when a moment comes.
  ///
  /// The task of the caller is never cancelled by this; when that is cancelled from elsewhere, it is passed on. What
  /// the code throws is thrown, a `CancellationError` too: let the body of the phase throw it on, for what ends because it
  /// was told to is no failure.
  ///
  /// ```swift
  /// try await phase.withCancellation(at: .drain) {
  ///   for try await job in queue { try await work(on: job) }
  /// }
  /// ```
  /// - Parameter moment: ``Moment/drain`` unless said otherwise: when all that require this phase have ended. At
  ///   ``Moment/turn``, the sessions in it have ended as well; at ``Moment/stopRequested``, nothing has ended yet.
  public func withCancellation<Result: Sendable>(
    at moment: Moment = .drain, _ operation: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    let task = Task { try await operation() }
    let registration = register(at: moment) { task.cancel() }
    let result = await withTaskCancellationHandler {
      await task.result
    } onCancel: {
      task.cancel()
    }
    await registration.leave()
    return try result.get()
  }
}
