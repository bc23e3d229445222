import GracefulTesting
import Synchronization

@testable import GracefulShutdown

/// `web` requires `database`; web's body ends when the test says so, database's when it fails or has its turn.
struct RestartedPair {
  let clock: ManualClock

  static func prompt(_ change: (inout RestartPolicy) -> Void = { _ in }) -> RestartPolicy {
    var policy = RestartPolicy.onFailure()
    policy.jitter = 0
    change(&policy)
    return policy
  }

  func run(
    _ policy: RestartPolicy, webLimit: Duration? = nil
  ) -> (driver: LifecycleDriver, database: RecordedRuns, web: RecordedRuns) {
    let (database, web) = (RecordedRuns("database", clock), RecordedRuns("web", clock))
    let driver = LifecycleDriver.underTest(
      [.init("database", restart: policy), .init("web", requires: ["database"], limit: webLimit)],
      bodies: [database.body(), web.body()], on: clock)
    return (driver, database, web)
  }

  func end(_ driver: LifecycleDriver, web: Int) {
    driver.requestStop(StopRequest())
    clock.recorder.record("web \(web) ends")
  }
}

/// The runs of a phase: `name 1`, `name 2`, … are recorded when they are ready.
final class RecordedRuns: Sendable {
  private let phases = Mutex<[Phase]>([])
  let name: String
  private let clock: ManualClock

  init(_ name: String, _ clock: ManualClock) {
    self.name = name
    self.clock = clock
  }

  subscript(run: Int) -> Phase { phases.withLock { $0[run - 1] } }

  /// Each fails, or goes on to its end, when the test records `name n fails` or `name n ends`.
  func body(saysReady: Bool = true) -> Lifecycle.Body {
    { [self] phase in
      let run = phases.withLock { phases in
        phases.append(phase)
        return phases.count
      }
      if saysReady { phase.ready() }
      clock.recorder.record("\(name) \(run)")
      if name == "web" {
        await clock.recorder.wait(for: "\(name) \(run) ends")
      } else {
        await withTaskGroup(of: Void.self) { group in
          group.addTask { [self] in await clock.recorder.wait(for: "\(name) \(run) fails") }
          group.addTask { await phase.turnToStop() }
          await group.next()
          group.cancelAll()
        }
      }
      if !phase.isStopRequested { throw PhaseScript.Failure("lost") }
    }
  }
}
