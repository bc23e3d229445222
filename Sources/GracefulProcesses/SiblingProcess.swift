package import GracefulDescriptors

/// A process that we start and that is not our child: our parent's (clone(2), `CLONE_PARENT`).
///
/// A service manager waits for its own children only. Told to go on with another main process than the one it started, it
/// does so properly when that process is its child, too.
package enum SiblingProcess {
  /// Starts a process with the same surroundings as ``ChildProcess``: an empty signal mask, default dispositions, a process
  /// group of its own, no descriptor that is not named.
  ///
  /// How it ended is our parent's to know. It does not become ours when our parent ends before us, and it is no child for
  /// any `wait` of this program.
  /// - Parameters:
  ///   - command: What to run.
  ///   - loop: Where its death is noticed.
  ///   - ended: Called once on the loop's thread, with its number, when it has died.
  /// - Returns: What signals can be sent through; it need not be kept.
  /// - Throws: As ``ChildProcess/spawn(_:on:)``, and `ENOSYS` where the system cannot do this (Linux before 5.9), `EINVAL`
  ///   in process 1, which has no parent. Nothing runs then. What could not be run has been a process for a moment, and its
  ///   end is reported to our parent.
  package static func spawn(
    _ command: Command, on loop: PollLoop, ended: @escaping @Sendable (ProcessID) -> Void
  ) throws(SystemError) -> ProcessWatch {
    // Asked first, because a system without pidfds must be known before there is a process.
    try ProcessHandle.open(.current).close()
    let sibling = try Spawn.runSibling(command)
    let id = sibling.id
    return ProcessWatch.start(id, adopting: sibling.pidfd, on: loop) { ended(id) }
  }
}
