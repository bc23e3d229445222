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
  /// deadline still says what it has cut. After a third signal there is only that moment. The last words are begun so early
  /// that the process has ended at its deadline although nothing reads them.
  func leaveAtDeadline(_ report: LifecycleReport) {
    let now = environment.now()
    // Together no more than the reserve.
    let moment = min(.milliseconds(250), report.grace / 8)
    let words = min(.milliseconds(500), report.grace / 8)
    let left = max(report.grace - report.took, moment + words)
    let until = now + (report.endedBySignal == nil ? left : min(moment + words, left))
    state.withLock { $0.leaveBy = until }
    environment.schedule(at: until - words) { [self] in say(state.withLock { $0.report } ?? complete(report)) }
    environment.schedule(at: until) { [self] in environment.exit(report.exitCode, atOnce: true) }
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
    if !say(report) {
      // Another thread is about to leave, and may be writing the report: an exit now would cut it off (S14). It has the
      // time that this may take, and a bit; an exit that hangs after it is not waited for.
      let now = environment.now()
      let limit = state.withLock { min(.milliseconds(500), max($0.leaveBy.map { $0 - now } ?? .longest, .zero)) }
      environment.wait(atMost: limit) { state.withLock { $0.isReportWritten } }
    }
    environment.exit(report.exitCode, atOnce: atOnce)
  }

  /// Writes the report, and says what is to be said before the exit.
  ///
  /// - Returns: Whether no other thread has done so, or does.
  @discardableResult
  private func say(_ report: LifecycleReport) -> Bool {
    guard let exitHooks = takeExitHooks() else { return false }
    // Before the exit, which takes a moment of its own.
    if let deadline = state.withLock({ $0.leaveBy }) {
      environment.write(report: report, exitHooks: exitHooks, by: deadline - min(.milliseconds(20), report.grace / 64))
    } else {
      environment.write(report: report, exitHooks: exitHooks)
    }
    state.withLock { $0.isReportWritten = true }
    return true
  }
}
