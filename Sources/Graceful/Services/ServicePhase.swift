public import GracefulShutdown
public import ServiceLifecycle

extension Lifecycle {
  /// Adds a phase that runs a service of swift-service-lifecycle.
  ///
  /// ```swift
  /// let queue = shop.phase("pipeline", requires: database, service: Pipeline())
  /// shop.phase("web", requires: queue, service: WebServer())
  /// ```
  ///
  /// Its graceful shutdown comes when its turn in the graph has come, not when that of all phases does; its task is
  /// cancelled when the phase is. A service that returns or throws is what a body that returns or throws is: before a
  /// stop was asked for, the lifecycle stops. The termination behaviours of a `ServiceGroup` have no part in this.
  ///
  /// - Parameters:
  ///   - name: Unique in this lifecycle.
  ///   - requires: What must be ready before this service starts, and is told to stop only after it has ended.
  ///   - startLimit: How long it may take until it is ready, which matters with an explicit readiness only. After that its
  ///     start has failed, and the lifecycle stops as failed. Without one it may take for ever.
  ///   - limit: How long it may take to stop, from its drain until it is cancelled; clipped to what the whole has left.
  ///   - readiness: When those that require it may start: at once unless said otherwise, because most services cannot
  ///     say.
  ///   - stops: The moment that it hears as its graceful shutdown: ``Phase/Moment/drain`` unless said otherwise, when
  ///     all that required it have ended. With ``Phase/Moment/stopRequested`` it begins to stop while others still need
  ///     it; with ``Phase/Moment/turn`` the sessions that it has opened have ended as well; with
  ///     ``Phase/Moment/cancelled`` it hears nothing before its task is cancelled.
  ///   - restart: Whether it is started again when it comes back by itself; never unless said otherwise.
  ///   - filter: For which errors; for all unless given.
  ///   - service: Runs once, or once again after each restart: the same instance, whose `run()` must then bear to be called
  ///     again. The instance is kept until the lifecycle is gone. For a fresh one each time, write a body that makes it.
  @discardableResult
  public func phase(
    _ name: String, requires: some PhaseRequirement = .nothing, startLimit: Duration? = nil,
    limit: Duration? = nil,
    readiness: ServiceReadiness = .onStart, stops: Phase.Moment = .drain, restart: RestartPolicy = .never,
    restartFor filter: RestartFilter? = nil, service: any Service
  ) -> PhaseHandle {
    phase(
      name, requires: requires, startLimit: startLimit, limit: limit, restart: restart, restartFor: filter
    ) { phase in
      if readiness == .onStart { phase.ready() }
      // The live environment has a manager around every body, triggered at the drain. This one is for other moments,
      // and for a lifecycle under test, whose environment knows nothing of swift-service-lifecycle.
      try await GracefulShutdownBridge.run(in: phase, at: stops) { try await service.run() }
    }
  }
}
