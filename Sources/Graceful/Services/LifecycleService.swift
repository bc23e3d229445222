public import GracefulShutdown
public import GracefulTriggers
internal import Logging
internal import SystemPackage
public import ServiceLifecycle

extension Lifecycle {
  /// This lifecycle as a service in a `ServiceGroup`.
  ///
  /// ```swift
  /// let group = ServiceGroup(services: [telemetry, shop.service()], gracefulShutdownSignals: [.sigterm], logger: log)
  /// try await group.run()
  /// ```
  ///
  /// - Parameter triggers: Where stop requests come from, beside the group. None unless given: signals are the group's.
  public func service(on triggers: Trigger...) -> LifecycleService {
    LifecycleService(lifecycle: self, triggers: triggers)
  }
}

/// A lifecycle that runs as a service of swift-service-lifecycle.
///
/// Made by ``Lifecycle/service(on:)``.
public struct LifecycleService: Service, CustomStringConvertible {
  /// What runs.
  public let lifecycle: Lifecycle
  let triggers: [Trigger]
  var environment: any LifecycleEnvironment = LiveEnvironment.shared

  /// Runs until everything has ended or been abandoned; without phases, until it is asked to stop.
  ///
  /// The group's graceful shutdown is a stop request (who: ``StopRequest/Source/serviceGroup``): the phases drain in
  /// their order, within the grace. The group's cancellation is passed on: the phases are cancelled, in the same order,
  /// and the exit code is 124. A group cancels everything when one of its services ends, unless that one's termination
  /// behaviour says otherwise (`gracefullyShutdownGroup`), and when its `maximumGracefulShutdownDuration` is over: so
  /// make that one longer than the grace. The group's `maximumCancellationDuration` ends the process by a trap;
  /// cancelling takes this lifecycle 3 s at most.
  ///
  /// The phases themselves do not hear the group, only their own moments. A second call waits for the end of the first.
  ///
  /// With `GRACEFUL_PLAN` in the environment this prints the plan and ends the process (see
  /// ``Lifecycle/runAndExit(on:)``): nothing of this lifecycle is started. A group starts its services at the same
  /// time, so others of it may have begun.
  ///
  /// - Throws: ``LifecycleFailure`` when the report's exit code is not 0. That a stop was asked for is no error.
  public func run() async throws {
    PlanMode.printAndExit(lifecycle)
    let report = await withGracefulShutdownHandler {
      await lifecycle.run(listeningTo: triggers, exiting: false, in: environment)
    } onGracefulShutdown: {
      lifecycle.requestStop(StopRequest(source: .serviceGroup))
    }
    guard report.exitCode == 0 else { throw LifecycleFailure(report) }
  }

  /// The name of the lifecycle, for the group's log.
  public var description: String { "lifecycle \(lifecycle.name)" }
}
