import Synchronization

/// A session that several may hold and any of them may end: the first end counts, the others do nothing.
///
/// It ends with its last holder, when it has not been ended before.
///
/// ```swift
/// let session = try phase.beginSession().shared()
/// channel.closeFuture.whenComplete { _ in session.end() }
/// ```
public final class SharedSession: Sendable {
  private let stripe: SessionStripe
  private let slot: UInt32
  private let hasEnded = Mutex(false)

  init(_ stripe: SessionStripe, _ slot: UInt32) {
    self.stripe = stripe
    self.slot = slot
  }

  deinit { end(.well) }

  /// Ends it, once.
  public func end() { end(.well) }

  /// Ends it, once, and counts it as failed in the report; after another end it does nothing.
  public func fail() { end(.failed) }

  /// Opens a session inside this one, also when the phase drains already.
  ///
  /// - Parameter name: For the stragglers in the report; without one it is only counted.
  /// - Returns: `nil` when this one has ended.
  public func beginSession(_ name: String? = nil) -> Session? {
    // Under the lock it cannot end meanwhile; afterwards the new one is live by itself.
    let isInside = hasEnded.withLock { !$0 && stripe.admitInside() }
    return isInside ? Session(in: stripe, name: name) : nil
  }

  private func end(_ end: SessionEnd) {
    let isFirst = hasEnded.withLock { hasEnded in
      defer { hasEnded = true }
      return !hasEnded
    }
    if isFirst { Session.end(stripe, slot, end) }
  }
}
