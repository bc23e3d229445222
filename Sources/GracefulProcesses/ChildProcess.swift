internal import CGracefulSystem
package import GracefulSystem
internal import Synchronization
internal import SystemPackage

/// A process that we started.
///
/// Its exit status is taken exactly once, whether or not it is asked for.
///
/// It has an empty signal mask (a pool thread's mask would be inherited, and the child deaf for `SIGTERM`), default
/// dispositions and a process group of its own. No `SIGCHLD` handler is involved: its death makes a pidfd readable.
package final class ChildProcess: Sendable {
  private struct State {
    var status: ExitStatus?
    var waiting: [@Sendable (ExitStatus) -> Void] = []
  }

  /// Its number; ours until it is reaped, so use ``signal(_:)`` and not the number.
  package let id: ProcessID
  /// What was started.
  package let command: Command
  private let loop: PollLoop
  private let handle: ProcessHandle
  private let state = Mutex(State())

  private init(id: ProcessID, command: Command, loop: PollLoop, handle: ProcessHandle) {
    self.id = id
    self.command = command
    self.loop = loop
    self.handle = handle
  }

  /// Starts a process.
  ///
  /// - Parameter loop: Where its death is noticed. When the loop is stopped before, it is not reaped.
  /// - Throws: `ENOENT` or `EACCES` when the executable cannot be run, `EMFILE` when no descriptor is left. Nothing runs
  ///   when it throws. It is *not* an error when the program ends at once.
  package static func spawn(_ command: Command, on loop: PollLoop) throws(SystemError) -> ChildProcess {
    // Asked first, because a system without pidfds must be known before there is a child.
    try ProcessHandle.open(.current).close()
    let id = try ChildRegistry.entering { () throws(SystemError) in try Spawn.run(command) }
    let handle: ProcessHandle
    do throws(SystemError) {
      handle = try ProcessHandle.open(id)
    } catch {
      // Another thread took the last descriptor in between. A child that cannot be watched must not stay.
      _ = cgs_kill(id.rawValue, 9)
      _ = ChildRegistry.leaving(id) {
        var how = cgs_exit()
        var result: CInt
        repeat { result = cgs_reap_waiting(id.rawValue, &how) } while result == -Errno.interrupted.rawValue
        return ExitStatus(how)
      }
      throw error
    }
    let child = ChildProcess(id: id, command: command, loop: loop, handle: handle)
    // The watch holds the child until it has ended, so that it is reaped even when the caller does not keep this value.
    _ = loop.watchOnce(handle.number, .readable) { _ in child.died() }
    return child
  }

  /// How it ended, or `nil` while it runs.
  package var status: ExitStatus? { state.withLock { $0.status } }

  /// How it ended, once it has.
  ///
  /// Cancelling the task does not end the wait; ending the child does.
  package var exit: ExitStatus {
    get async {
      await withCheckedContinuation { continuation in
        whenEnded { continuation.resume(returning: $0) }
      }
    }
  }

  /// Calls `body` once with how it ended, on the loop's thread; at once when it has ended before.
  package func whenEnded(_ body: @escaping @Sendable (ExitStatus) -> Void) {
    let status = state.withLock { state in
      if state.status == nil { state.waiting.append(body) }
      return state.status
    }
    if let status { loop.execute { body(status) } }
  }

  /// Sends a signal by number.
  ///
  /// Safe against reuse of the number: after the end nothing is sent.
  /// - Returns: Whether it was delivered: `false` when the child has ended.
  @discardableResult
  package func signal(_ signal: Int32) -> Bool { handle.signal(signal) }

  private func died() {
    let status = ChildRegistry.leaving(id) {
      var how = cgs_exit()
      let result = cgs_reap(id.rawValue, &how)
      // ECHILD: other code of this program has waited for every child there is, ours too.
      return result >= 0 && how.pid != 0 ? ExitStatus(how) : .lost
    }
    handle.close()
    let waiting = state.withLock { state in
      state.status = status
      defer { state.waiting = [] }
      return state.waiting
    }
    if let status { waiting.forEach { $0(status) } }
  }
}
