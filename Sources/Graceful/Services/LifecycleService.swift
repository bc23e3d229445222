public import GracefulShutdown
public import GracefulTriggers
public import ServiceLifecycle
internal import Synchronization

extension Lifecycle {
  /// This lifecycle as a service in somebody's `ServiceGroup`.
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
/// Made by ``GracefulShutdown/Lifecycle/service(on:)``.
public struct LifecycleService: Service, CustomStringConvertible {
  /// What runs.
  public let lifecycle: Lifecycle
  let triggers: [Trigger]

  /// Runs until everything has ended or been abandoned; without phases, until it is asked to stop.
  ///
  /// The group's graceful shutdown is a stop request. So is its cancellation, which a group also sends when one of its
  /// other services has ended: the phases drain in their order, within the grace. A cancellation that comes after the
  /// graceful shutdown means that the group's patience is at an end: then what drains is cancelled, in the same order.
  /// The grace of the lifecycle should be shorter than the group's `maximumGracefulShutdownDuration` and
  /// `maximumCancellationDuration`: after the latter the group ends the process by a trap. The phases themselves do not
  /// hear the group, only their turn.
  ///
  /// - Throws: ``LifecycleFailure`` when the report's exit code is not 0. That a stop was asked for is no error, nor is a
  ///   cancellation that everything obeyed in time.
  public func run() async throws {
    let wasTold = Atomic(false)
    let report = await withTaskCancellationHandler {
      await withGracefulShutdownHandler {
        await lifecycle.run(listeningTo: triggers, exiting: false)
      } onGracefulShutdown: {
        wasTold.store(true, ordering: .releasing)
        lifecycle.requestStop(StopRequest(why: "its service group shuts down"))
      }
    } onCancel: {
      let urgency: StopRequest.Urgency = wasTold.load(ordering: .acquiring) ? .cancelNow : .drain
      lifecycle.requestStop(StopRequest(who: .cancellation, why: "its service group is cancelled", urgency: urgency))
    }
    guard report.exitCode == 0 else { throw LifecycleFailure(report) }
  }

  /// The name of the lifecycle, for the group's log.
  public var description: String { "lifecycle \(lifecycle.name)" }
}
