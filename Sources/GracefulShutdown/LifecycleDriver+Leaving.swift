import Logging
import Synchronization

/// The end: the report, and how the process leaves.
extension LifecycleDriver {
  /// With what the machine does not know.
  func complete(_ report: LifecycleReport) -> LifecycleReport {
    tally.complete(report).written(by: environment, startedAt: startedAt)
  }

  /// Armed before the end is performed: the process ends at its deadline even when that hangs, the caller of `run()` does
  /// not come back, or the exit itself is stuck.
  ///
  /// What was decided with the end has a moment to be performed in any case: a process that was suspended beyond its
  /// deadline still says what it has cut. After a third signal there is only that moment.
  func leaveAtDeadline(_ report: LifecycleReport) {
    let moment = min(.milliseconds(250), report.grace / 4)
    let left = report.endedBySignal == nil ? max(report.grace - report.took, moment) : moment
    environment.schedule(at: environment.now() + left) { [self] in
      leave(with: state.withLock { $0.report } ?? complete(report), atOnce: true)
    }
  }

  func finish(_ report: LifecycleReport) {
    log.write(report.exitCode == 0 ? .notice : .error, report.summary, report.logMetadata)
    events.finish(report)
    if exiting {
      // The caller of `run()` may never run again: every thread of the pool may be blocked.
      if report.isForced {
        // What was said last says why. Of the reserve, too, and too short to be noticed.
        let limit = min(.milliseconds(50), report.grace / 16)
        log.flushNow(within: limit)
        events.settleNow(within: limit)
        leave(with: report, atOnce: true)
      }
    }
    let waiters = state.withLock { state in
      state.report = report
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume(returning: report) }
  }

  /// - Returns: `nil` when another thread has taken them: that one writes the report, too.
  func takeExitHooks() -> [ExitHook]? {
    state.withLock { state in
      // They may hold the lifecycle, and so this driver.
      defer { (state.areExitHooksTaken, state.exitHooks) = (true, []) }
      return state.areExitHooksTaken ? nil : state.exitHooks
    }
  }

  func leave(with report: LifecycleReport, atOnce: Bool) {
    if let exitHooks = takeExitHooks() {
      environment.write(report: report, exitHooks: exitHooks)
      state.withLock { $0.isReportWritten = true }
    } else {
      // Another thread is about to leave, and may be writing the report: an exit now would cut it off (S14). It has the
      // time that this may take, and a bit; an exit that hangs after it is not waited for.
      environment.wait(atMost: .milliseconds(500)) { state.withLock { $0.isReportWritten } }
    }
    environment.exit(report.exitCode, atOnce: atOnce)
  }
}
