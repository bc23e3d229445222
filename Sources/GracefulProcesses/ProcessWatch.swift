package import GracefulDescriptors
internal import SystemPackage

/// Knows of the death of any process, child or not, by a pidfd.
package final class ProcessWatch: Sendable {
  /// The process that it watches.
  package let id: ProcessID
  private let loop: PollLoop
  private let handle: ProcessHandle
  private let watch: PollLoop.WatchID

  private init(
    _ id: ProcessID, _ handle: ProcessHandle, on loop: PollLoop, ended: @escaping @Sendable () -> Void
  ) {
    self.id = id
    self.loop = loop
    self.handle = handle
    watch = loop.watchOnce(handle.number, .readable) { _ in
      handle.close()
      ended()
    }
  }

  /// Watches a process by its number.
  ///
  /// A number that another process has told us may have changed its owner before this call; a caller that must be sure
  /// takes the pidfd of a connection's peer instead.
  /// - Parameters:
  ///   - id: The process.
  ///   - loop: Where `ended` is called.
  ///   - ended: Called once when it has died (a zombie is dead), at once when it died before its watch began; never
  ///     after ``cancel()``.
  /// - Throws: `ESRCH` when there is no such process.
  package static func start(
    _ id: ProcessID, on loop: PollLoop, ended: @escaping @Sendable () -> Void
  ) throws(SystemError) -> ProcessWatch {
    ProcessWatch(id, try ProcessHandle.open(id), on: loop, ended: ended)
  }

  /// Watches the process that a pidfd stands for, and owns the pidfd.
  package static func start(
    _ id: ProcessID, adopting pidfd: consuming OwnedDescriptor, on loop: PollLoop,
    ended: @escaping @Sendable () -> Void
  ) -> ProcessWatch {
    ProcessWatch(id, ProcessHandle(adopting: pidfd), on: loop, ended: ended)
  }

  /// Sends a signal by number; `false` when the process has ended or the watch is over.
  @discardableResult
  package func signal(_ signal: Int32) -> Bool { handle.signal(signal) }

  /// Ends the watch; `ended` is not called any more.
  package func cancel() {
    guard loop.unwatch(watch) else { return }
    // The loop may be polling the number at this moment; on its thread, after the unwatching, it is not.
    loop.execute { [handle] in handle.close() }
  }
}
