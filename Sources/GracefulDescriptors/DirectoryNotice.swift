internal import CGracefulSystem
package import GracefulSystem
internal import Synchronization
internal import SystemPackage

/// Tells of each change of one name in a directory, on a poll loop's thread (inotify(7)).
///
/// It tells of too much rather than of too little: its reader looks for itself. On the loop's thread.
package final class DirectoryNotice: Sendable {
  private struct State: ~Copyable {
    var descriptor: OwnedDescriptor?
    var watch: PollLoop.WatchID?
  }

  private let loop: PollLoop
  private let name: [UInt8]
  private let state: Mutex<State>

  /// Begins.
  ///
  /// - Parameters:
  ///   - changed: Called with whether the directory goes on to be watched: not once it has gone, or been moved away.
  /// - Returns: `nil` where there is no such thing, or none left (`EMFILE`, `max_user_watches`), or no directory.
  package init?(
    _ name: String, in directory: String, on loop: PollLoop, _ changed: @escaping @Sendable (_ goesOn: Bool) -> Void
  ) {
    self.loop = loop
    self.name = Array(name.utf8)
    let number = cgs_inotify()
    guard number >= 0 else { return nil }
    let descriptor = OwnedDescriptor(adopting: FileDescriptor(rawValue: number))
    guard cgs_inotify_watch(number, directory) >= 0 else { return nil }
    state = Mutex(State(descriptor: consume descriptor, watch: nil))
    let watch = loop.watch(number, .readable) { [weak self] _ in self?.read(number, changed) }
    state.withLock { $0.watch = watch }
  }

  deinit { close() }

  /// Ends it.
  package func close() {
    let (watch, number) = state.withLock { state -> (PollLoop.WatchID?, Int32?) in
      defer { state.watch = nil }
      return (state.watch, state.descriptor.take()?.release().rawValue)
    }
    if let watch { loop.unwatch(watch) }
    guard let number else { return }
    // The loop may be polling the number at this moment; on its thread, after the unwatching, it is not.
    let held = SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: number)))
    loop.execute { withExtendedLifetime(held) {} }
  }

  private func read(_ number: Int32, _ changed: @Sendable (_ goesOn: Bool) -> Void) {
    guard state.withLock({ $0.watch != nil }) else { return }
    guard let bytes = FileBeginning.read(number, atMost: 4096), !bytes.isEmpty else {
      close()
      return changed(false)
    }
    let events = InotifyEvent.all(in: bytes)
    // -1 is that events were lost, not that the directory was.
    if events.contains(where: { $0.mask & cgs_inotify_ends() != 0 && $0.watch != -1 }) {
      close()
      return changed(false)
    }
    if events.contains(where: { $0.watch == -1 || $0.name.isEmpty || $0.name == name }) { changed(true) }
  }
}
