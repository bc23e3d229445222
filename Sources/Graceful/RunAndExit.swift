public import GracefulShutdown
public import GracefulTriggers
internal import Logging

extension Lifecycle {
  /// Runs until everything has ended or been abandoned, and returns what happened.
  ///
  /// What was abandoned may still be running when this returns; the caller should then exit with the report's
  /// ``LifecycleReport/exitCode``. When every thread of Swift's cooperative pool is blocked this cannot return, whatever
  /// the deadline says; ``runAndExit(on:)`` exits all the same. Cancelling the task that called this first is
  /// passed on: the phases are cancelled, in their order and without time to drain, and the exit code is 124; ask for a
  /// stop before, when they shall drain. A second
  /// call, at the same time or later, waits for the end of the first and returns the same report; what it listens to is
  /// heard, too. Called from inside one of its own phases it would wait for itself: then it returns at once, with that as
  /// a mistake in its report, and nothing else happens; call ``requestStop(_:)`` there.
  ///
  /// A mistake in the configuration, or a trigger that cannot listen, starts nothing and is in the report.
  ///
  /// With `GRACEFUL_PLAN` in the environment this prints the plan and ends the process, as ``runAndExit(on:)`` does.
  /// - Parameter triggers: Where stop requests come from, beside ``requestStop(_:)``. None unless given: a signal then
  ///   does to the process what it always did.
  public func run(on triggers: Trigger...) async -> LifecycleReport {
    PlanMode.printAndExit(self)
    return await run(listeningTo: triggers, exiting: false)
  }

  /// Runs, writes the report to standard error, and exits with its code.
  ///
  /// The codes: 128 + n ended at once by the third signal n; 124 something was cancelled or abandoned; 78 the
  /// configuration is wrong; 1 a phase failed; 0 clean. `atexit` handlers run and buffers are flushed, unless something
  /// was abandoned or a signal ended it at once (`_exit`). The process ends within the grace although every thread of
  /// Swift's cooperative pool is blocked, and although its standard error is not read.
  ///
  /// It ends nothing that is not its own. When another lifecycle of this process runs, that one is asked to stop, a line on
  /// standard error says so, and the process exits with the last of them, with the higher of their codes; each has its own
  /// grace for that. A third signal ends the process all the same. In a process that runs tests it starts nothing, says so on
  /// standard error, and exits with 78, so that the tests do not seem to have succeeded with the rest unrun: call
  /// ``run(on:)`` there.
  ///
  /// After a call of ``run(on:)`` it waits for the end of that, writes and exits then. Called from inside one of its own
  /// phases it cannot return: the lifecycle stops as failed, and that phase is abandoned at its deadline.
  ///
  /// When the environment variable `GRACEFUL_REPORT_FILE` names a path as the run begins, the report is also written
  /// there as JSON (``LifecycleReport/json()``), on every way to the exit, a forced one too. An earlier report is emptied as
  /// the run begins, so that it is not taken for that of a process that was killed (`SIGKILL`, no memory): an empty file
  /// says that there is no report. When that fails, the log has a warning, and all goes on. The new one is written beside
  /// the file (`PATH.PID.tmp`) and renamed over it, so that half of one is never read; where that cannot be (a bind mount, as
  /// Kubernetes' `/dev/termination-log`, or a directory that is not ours to write in), it is written in place. A
  /// relative path counts from the working directory at the exit. A predecessor and its successor have the same path,
  /// and the last to end wins: `pid` says which it was. What cannot be written within 0.3 s (no space, no permission, a disk
  /// that does not answer), and what is no regular file (a directory, a pipe, a device, a symbolic link), costs one line
  /// on standard error, and changes neither the exit code nor when the process exits.
  ///
  /// When the environment variable `GRACEFUL_PLAN` is `text`, `json` or `svg` as the run begins, nothing runs: the plan
  /// (``plan()``) is printed on standard output, and the process exits with 0, or 78 when the configuration is wrong. No
  /// phase is started, no trigger listens, no socket or file is touched, and of several lifecycles only the first to run is
  /// shown; what the program itself does before it calls this, it does. Any other value is an error on standard error, and
  /// the exit code 64 (`EX_USAGE`, sysexits(3)); empty is as if it was not set. When the plan cannot be written, the exit
  /// code is 74 (`EX_IOERR`).
  ///
  /// Where `NOTIFY_SOCKET` is set, systemd is told when everything is ready, what drains, and more: ``notifySystemd()``.
  /// - Parameter triggers: Where stop requests come from, beside ``requestStop(_:)``. ``Trigger/signals`` (SIGTERM and
  ///   SIGINT) unless given.
  public func runAndExit(on triggers: Trigger...) async -> Never { await runAndExit(listeningTo: triggers) }

  /// As ``runAndExit(on:)``, with triggers that are known only when the program runs.
  ///
  /// - Parameter triggers: ``Trigger/signals`` when there are none.
  public func runAndExit(listeningTo triggers: [Trigger]) async -> Never {
    PlanMode.printAndExit(self)
    TestRunner.refuse(self)
    notifySystemd()
    let report = await run(listeningTo: triggers.isEmpty ? [.signals] : triggers, exiting: true)
    // Reached when `run()` had been called before: then it was that run's end, and the process has not exited. And when
    // another lifecycle of this process runs: then its end is that of the process.
    if !ProcessExit.shared.hasLeft(self) {
      LiveEnvironment.shared.write(report: report)
      ProcessExit.shared.begin(self)
      ProcessExit.shared.leave(self, report.exitCode, atOnce: report.isForced)
    }
    while true { await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in } }
  }

  func run(
    listeningTo triggers: [Trigger], exiting: Bool, in environment: some LifecycleEnvironment = LiveEnvironment.shared
  ) async -> LifecycleReport {
    guard let live = environment as? LiveEnvironment else {
      return await listen(to: triggers, exiting: exiting, in: environment)
    }
    ProcessExit.shared.begin(self)
    defer { ProcessExit.shared.end(self) }
    return await listen(to: triggers, exiting: exiting, in: exiting ? live.ending(with: self) : live)
  }

  private func listen(
    to triggers: [Trigger], exiting: Bool, in environment: some LifecycleEnvironment
  ) async -> LifecycleReport {
    FirstProcess.begin()
    // Listen first, then start: a stop that comes in between is kept (S10).
    var listenings: [Listening] = []
    let target = StopTarget(ask: { [self] in requestStop($0) }, lifecycle: self)
    for trigger in triggers {
      do {
        listenings.append(try trigger.attach(to: target))
      } catch {
        reportMistake(ConfigurationMistake(trigger: error.trigger, reason: error.reason))
      }
    }
    if exiting, let problem = LiveEnvironment.shared.emptyOldReport() {
      // A path may have anything in it.
      let why = TerminalText.line(of: problem, columns: 4000)
      logger.warning(
        "an old report may stay where \(ReportFile.variable) says: \(why)", metadata: ["lifecycle.name": "\(name)"])
    }
    let report = await run(in: environment, exiting: exiting, exitHooks: listenings.flatMap(\.exitHooks))
    for listening in listenings { listening.leave() }
    return report
  }
}
