internal import GracefulShutdown
internal import Logging

extension Trigger {
  /// Stop files: `process.stop` asks, and `process.stopped` answers, as `noamt/stop` has them.
  ///
  /// A request is heard within milliseconds where the system tells of changes in a directory (inotify(7)), although every
  /// thread of Swift's cooperative pool is blocked; a further one, and elsewhere each, within a tenth of a second; and one
  /// that another machine made on a network file system, within a second. It is taken away as it is heard. It must be a
  /// regular file of our user or root; it is never opened. What is refused is logged, once a file.
  ///
  /// One that is older than the process when it is first looked at, was meant for an earlier run: it is removed, logged, and
  /// stops nothing. Older means: its status changed last (ctime) before the kernel started this process, by the kernel's own
  /// record, which is exact to 10 ms; where that is not known, before this trigger was attached. A file that comes later is
  /// new, whatever its time says.
  ///
  /// The answer is written as the last act before the exit, when everything has ended or was abandoned (exit code 124, too),
  /// but not when a successor has taken over: then it is not true. Neither are requests taken from then on. What an earlier
  /// run has answered is removed as this one is attached.
  ///
  /// A directory that is somebody else's, that others can write to and that is not sticky, or in which we cannot write, is a
  /// mistake in the configuration: the lifecycle starts nothing and exits with 78. One that is not there is waited for.
  ///
  /// Without a lifecycle (``Trigger/listen(_:)``) it only asks: the answer is then ``StopFiles/signalStopped()``.
  /// - Parameter files: Where they are; in `$TMPDIR` or `/tmp` unless given.
  public static func files(_ files: StopFiles = StopFiles()) -> Trigger {
    let name = "files in \(files.directory)"
    return Trigger(
      name,
      attach: { target throws(TriggerError) in
        let lifecycle = target.lifecycle
        let log: @Sendable (StopFileRefusal) -> Void = { refusal in
          lifecycle?.logger.warning(
            "\(refusal)", metadata: ["lifecycle.name": "\(lifecycle?.name ?? "")", "path": "\(refusal.path)"])
        }
        do throws(StopFileError) {
          let driver = try StopFileWatchDriver(
            files, told: lifecycle == nil ? [] : [log],
            isPassedOn: { lifecycle?.snapshot().request?.who.isSuccessor == true }, heard: target.ask)
          // With its watch the process would take longer to be gone. Who asks from now on, finds the answer.
          let rest = Farewell(.withReport) { _ in driver.leave() }
          let answer = Farewell(.last) { report in
            if report.request?.who.isSuccessor == true { return }
            do throws(StopFileError) {
              try files.signalStopped()
            } catch {
              lifecycle?.logger.error(
                "no answer that it has stopped: \(error)",
                metadata: ["lifecycle.name": "\(report.lifecycle)", "path": "\(error.path)"])
            }
          }
          return Listening(leave: { driver.leave() }, farewells: [rest, answer])
        } catch {
          throw TriggerError(trigger: name, reason: "\(error)")
        }
      })
  }
}

extension StopRequest.Asker {
  fileprivate var isSuccessor: Bool {
    if case .successor = kind { true } else { false }
  }
}
