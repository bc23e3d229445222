import Logging
import Synchronization

/// The end: the report, and how the process leaves.
extension LifecycleDriver {
  /// Another thread may have brought the end of a phase and not come yet to what follows from it, while this one brings
  /// the end of all: what has to be said of each phase, is said before.
  func conclude(_ report: LifecycleReport) {
    let (phases, children) = state.withLock { ($0.phases, $0.children) }
    for ended in report.phases where ended.end != .neverStarted {
      guard let phase = phases.indices.contains(ended.id) ? phases[ended.id] : children[ended.id] else { continue }
      // Stopped to be started again, and the stop of the whole came before: it was the run before this one that ended.
      // What has been said of a run cannot tell, for whoever is to say it may be held up as well.
      let wasToRunAgain = ended.endedAfter == nil
      send(.ended, phase, ended.end, of: wasToRunAgain ? phase.run - 1 : phase.run)
      tally.close(phase, at: environment.now())
    }
  }

  /// With what the machine does not know.
  func complete(_ report: LifecycleReport) -> LifecycleReport {
    tally.complete(report).written(by: environment, startedAt: startedAt)
  }

  func finish(_ report: LifecycleReport) {
    log.write(report.exitCode == 0 ? .notice : .error, report.summary, report.logMetadata)
    events.finish(report)
    if exiting {
      // The caller of `run()` may never run again: every thread of the pool may be blocked.
      if report.isForced {
        // What was said last says why. Of the reserve, too, and no longer than nobody notices.
        let limit = min(.milliseconds(50), report.grace / 16)
        log.flushNow(within: limit)
        events.settleNow(within: limit)
        leave(with: report, atOnce: true)
      }
      // And if everything ended well, but the caller does not come back or the exit itself is stuck.
      environment.schedule(at: environment.now() + max(report.grace - report.took, .zero)) { [self] in
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

  /// - Returns: `nil` when somebody else has taken them: who takes them writes the report, too.
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
      // Another thread is about to leave, and may be at its last words: an exit now would cut them off (S14). It has the
      // time that they may take, and a bit; of an exit that hangs after them nothing is waited for.
      environment.wait(atMost: .milliseconds(500)) { state.withLock { $0.isReportWritten } }
    }
    environment.exit(report.exitCode, atOnce: atOnce)
  }
}
