import GracefulTesting
import Logging
import Synchronization

@testable import GracefulShutdown

extension LifecycleDriver {
  /// Of a lifecycle that was written down, and runs with this driver and no other.
  static func underTest(
    _ declarations: [PhaseGraph.Declaration], bodies: [Lifecycle.Body], on clock: ManualClock
  ) -> LifecycleDriver {
    LifecycleDriver(
      LifecycleStateMachine(name: "tested", grace: .seconds(20), graph: PhaseGraph(declarations)), bodies: bodies,
      filters: bodies.map { _ in nil }, environment: clock,
      log: LifecycleLog(name: "tested", logger: .silent, level: .critical, environment: clock),
      events: LifecycleEventBroadcast(), exiting: false)
  }

  /// Waits until the phases are so, and all that was decided has been performed.
  func wait(until holds: (LifecycleSnapshot) -> Bool) async {
    while !holds(snapshot()) || state.withLock({ $0.isPerforming }) { await Task.yield() }
  }
}
