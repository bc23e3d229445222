package import GracefulDescriptors
internal import SystemPackage

/// Knows of the death of any process, child or not, by a pidfd.
package final class ProcessWatch: Sendable {
  /// Whom it watches.
  package let id: ProcessID
  private let loop: PollLoop
  private let handle: ProcessHandle
  private let watch = WatchOnce()

  private init(id: ProcessID, loop: PollLoop, handle: ProcessHandle) {
    self.id = id
    self.loop = loop
    self.handle = handle
  }

  /// Watches a process by its number.
  ///
  /// A number that somebody told us may have changed its owner before this call; whoever must be sure takes the pidfd
  /// of a connection's peer instead.
  /// - Parameters:
  ///   - id: The process.
  ///   - loop: Where `ended` is called.
  ///   - ended: Called once when it has died (a zombie is dead), at once when it died before its watch began; never
  ///     after ``cancel()``.
  /// - Throws: `ESRCH` when there is no such process.
  package static func start(
    _ id: ProcessID, on loop: PollLoop, ended: @escaping @Sendable () -> Void
  ) throws(SystemError) -> ProcessWatch {
    started(ProcessWatch(id: id, loop: loop, handle: try ProcessHandle.open(id)), ended)
  }

  /// Watches the process that a pidfd stands for, and owns the pidfd.
  package static func start(
    _ id: ProcessID, adopting pidfd: consuming OwnedDescriptor, on loop: PollLoop,
    ended: @escaping @Sendable () -> Void
  ) -> ProcessWatch {
    started(ProcessWatch(id: id, loop: loop, handle: ProcessHandle(adopting: pidfd)), ended)
  }

  private static func started(_ watch: ProcessWatch, _ ended: @escaping @Sendable () -> Void) -> ProcessWatch {
    watch.watch.begin(on: watch.loop, watch.handle.number) {
      watch.closeOnLoop()
      ended()
    }
    return watch
  }

  /// Sends a signal by number; `false` when the process has ended or the watch is over.
  @discardableResult
  package func signal(_ signal: Int32) -> Bool { handle.signal(signal) }

  /// Ends the watch; `ended` is not called any more.
  package func cancel() {
    if watch.finish(on: loop) { closeOnLoop() }
  }

  /// The loop may be polling the number at this moment; on its thread, after the unwatching, it is not.
  private func closeOnLoop() {
    loop.execute { self.handle.close() }
  }
}
