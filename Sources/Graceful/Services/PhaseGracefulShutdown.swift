public import GracefulShutdown

extension Phase {
  /// Lets libraries that were written for swift-service-lifecycle hear this phase, as their graceful shutdown.
  ///
  /// The body of every phase is within one already, at ``Phase/Moment/drain``; sessions and tasks that inherit from it,
  /// too. This one is for where that is not so (a detached task, a callback of an event loop), and for another moment:
  ///
  /// ```swift
  /// try await phase.withGracefulShutdown(at: .stopRequested) { try await consumer.run() }
  /// ```
  ///
  /// Within it, `withGracefulShutdownHandler`, `cancelWhenGracefulShutdown`, `gracefulShutdown()` and
  /// `Task.isShuttingDownGracefully` know this phase and nothing else: neither an outer phase nor an outer
  /// `ServiceGroup`. When the moment has passed already, they hear it soon. A handler is called on a thread that
  /// belongs to no task. It may block that, and then holds up the other handlers of this phase, and code that reads the
  /// flag in it (swift-service-lifecycle calls them one after the other, under a lock), but no other phase and no
  /// deadline. In a handler `Task.isShuttingDownGracefully` is `false`, and task-local values have their defaults.
  /// One exception, which is not in our hands: a handler that is registered after the moment is called at once by
  /// swift-service-lifecycle itself, under its lock, and must not read that flag, or it waits for ever;
  /// ``Phase/withHandler(at:_:operation:)`` has no such trap.
  ///
  /// It costs 1.3 KB, and no time that could be measured beside that of a task; a handler costs what it does elsewhere.
  ///
  /// - Parameters:
  ///   - moment: ``Phase/Moment/drain`` unless said otherwise: everything that requires this phase has ended.
  ///   - operation: What is to hear it; called once.
  /// - Returns: what `operation` returned, when none of the handlers is running any more.
  public func withGracefulShutdown<Result: Sendable>(
    at moment: Moment = .drain, _ operation: @Sendable () async throws -> Result
  ) async rethrows -> Result {
    try await GracefulShutdownBridge.run(in: self, at: moment, operation)
  }
}
