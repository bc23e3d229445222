internal import Synchronization

extension Signal {
  /// The signals that ask a program to end: SIGTERM, SIGINT, SIGQUIT and SIGHUP.
  public static var stopping: Set<Signal> { [.terminate, .interrupt, .quit, .hangup] }
}

/// Calls a function when one of these signals comes, for programs that want only that and no lifecycle.
///
/// ```swift
/// try onSignal { signal in
///   try journal.close()
///   exit(0)
/// } onError: { error in
///   print("could not close the journal: \(error)")
/// }
/// ```
///
/// It listens until the end of the process, or until ``SignalSource/stop()`` of what it returns; then the default
/// disposition is restored. While it listens, the signal does nothing but this. It works although every thread of Swift's
/// cooperative pool is blocked.
/// - Parameters:
///   - signals: Which ones; ``Signal/stopping`` unless given. None at all is an error.
///   - body: Called for one arrival at a time, on a thread of its own, which it may block.
///   - onError: Called on the same thread with what `body` throws; what comes afterwards is heard all the same.
/// - Returns: What stops it. It need not be kept.
/// - Throws: When a signal cannot be caught (SIGKILL, SIGSTOP, a fault of the program), or no descriptor or thread is left.
///   What `body` throws goes to `onError`.
@discardableResult
public func onSignal(
  _ signals: Set<Signal> = Signal.stopping, _ body: @escaping @Sendable (Signal) throws -> Void,
  onError: @escaping @Sendable (any Error) -> Void
) throws(SignalError) -> SignalSource {
  let source = try SignalSource(signals) { signal in
    do { try body(signal) } catch { onError(error) }
  }
  CallbackSources.keep(source)
  return source
}

/// The sources that the caller need not keep, until they are stopped.
enum CallbackSources {
  private static let sources = Mutex<[ObjectIdentifier: SignalSource]>([:])

  static func keep(_ source: SignalSource) { sources.withLock { $0[ObjectIdentifier(source)] = source } }

  static func drop(_ source: SignalSource) {
    // Let go of outside the lock, whatever its end does.
    let dropped = sources.withLock { $0.removeValue(forKey: ObjectIdentifier(source)) }
    withExtendedLifetime(dropped) {}
  }
}
