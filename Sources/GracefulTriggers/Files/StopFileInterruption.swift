internal import Synchronization

/// SIGINT, SIGTERM and SIGHUP in a command that asks by files: its request is taken back.
///
/// The command then exits as if the signal had ended it. It listens until the end of the process.
package final class StopFileInterruption: Sendable {
  private let arrived = Atomic<Int32>(0)

  /// The signal that came last; 0 without one.
  package var signal: Int32 { arrived.load(ordering: .acquiring) }

  package init(of client: StopFileClient) {
    // Where they cannot be caught, they do what they always do.
    _ = try? SignalRegistry.shared.listen(for: [.interrupt, .terminate, .hangup]) { [self] signal in
      arrived.store(signal.rawValue, ordering: .releasing)
      client.interrupt()
    }
  }
}
