internal import GracefulShutdown
internal import GracefulSystem
internal import Logging

extension Trigger {
  /// Stop files: `process.stop` asks, and `process.stopped` answers, as `noamt/stop` has them.
  ///
  /// A request is heard within milliseconds where the system tells of changes in a directory (inotify(7)), although every
  /// thread of Swift's cooperative pool is blocked; a further one, and elsewhere each, within a tenth of a second; and the
  /// request of another machine on a network file system, within a second. It is taken away as it is heard. It must be a
  /// regular file of our user or root; it is never opened. What is refused is logged, once a file.
  ///
  /// A request that is older than the process when it is first looked at, was meant for an earlier run: it is removed, logged, and
  /// stops nothing. Older means: its status changed last (ctime) before the kernel started this process, by the kernel's own
  /// record, which is exact to 10 ms; where that is not known, before this trigger was attached. A file that comes later is
  /// new, whatever its time says.
  ///
  /// The answer is written as the last act before the exit, when everything has ended or was abandoned (exit code 124, too).
  /// What an earlier run has answered is removed as this one begins to watch.
  ///
  /// Requests and answers are those of one process at a time: the process that serves. It holds a lock, `process.stop.lock`
  /// beside the files (flock(2)), from the first to the last moment, or until a successor has taken over (`withHandover`
  /// in `Graceful`). A process that comes meanwhile neither takes a request nor gives an answer, whatever becomes of it. While a
  /// handover is going on, a request stays where it is: if the successor takes over, it is stopped and answers; if not, the
  /// predecessor does. Where no such lock can be had, the log says so once, and either may take a request.
  ///
  /// A directory that is another user's, that others can write to and that is not sticky, or in which we cannot write, is a
  /// mistake in the configuration: the lifecycle starts nothing and exits with 78. A directory that is not there is waited for.
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
          // In a handover it is as it should be.
          lifecycle?.logger.log(
            level: refusal.reason == .anotherAnswers ? .info : .warning, "\(refusal)",
            metadata: ["lifecycle.name": "\(lifecycle?.name ?? "")", "path": "\(refusal.path)"])
        }
        let succession = lifecycle?.whole.succession ?? Succession()
        do throws(StopFileError) {
          let driver = try StopFileWatchDriver(
            files, told: lifecycle == nil ? [] : [log], succession: succession,
            isPassedOn: { lifecycle?.snapshot().request?.source.isSuccessor == true }, heard: target.ask)
          succession.whenPassedOn { driver.passOn() }
          // With its watch the process would take longer to be gone. A client that asks from now on, finds the answer.
          let rest = ExitHook(.withReport) { _ in
            if succession.refusal == nil { driver.stopWatching() } else { driver.passOn() }
          }
          let answer = ExitHook(.last, "the answer \(files.answerPath)") { report in
            defer { driver.release() }
            guard report.request?.source.isSuccessor != true, driver.isAnswering, succession.hasEnded() else { return }
            do throws(StopFileError) {
              try files.signalStopped()
            } catch {
              lifecycle?.logger.error(
                "no answer that it has stopped: \(error)",
                metadata: ["lifecycle.name": "\(report.lifecycle)", "path": "\(error.path)"])
            }
          }
          return Listening(leave: { driver.leave() }, exitHooks: [rest, answer])
        } catch {
          throw TriggerError(trigger: name, reason: "\(error)")
        }
      })
  }
}

extension Succession {
  /// Whether the program ends with this process; once it does, no successor takes over.
  ///
  /// It blocks its thread, and not for long: an exit hook is waited for no longer than a fraction of a second. A handover whose
  /// thread does not answer by then, does not go on either.
  fileprivate func hasEnded() -> Bool {
    let answer = Latch<Bool>()
    requestPermission { answer.set($0 == nil) }
    return answer.wait(atMost: .milliseconds(50)) ?? (refusal == nil)
  }
}
