import Synchronization

/// Waits until so many have come, and notes when the last one did.
final class Arrivals: Sendable {
  private let left: Atomic<Int>
  private let state = Mutex((at: ContinuousClock.Instant?.none, waiter: UnsafeContinuation<Void, Never>?.none))

  init(_ count: Int) { left = Atomic(count) }

  func arrive() {
    guard left.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 else { return }
    let now = ContinuousClock.now
    let waiter = state.withLock { state in
      state.at = now
      return state.waiter
    }
    waiter?.resume()
  }

  /// When the last one came.
  func all() async -> ContinuousClock.Instant {
    await withUnsafeContinuation { continuation in
      let isOver = state.withLock { state in
        if state.at == nil { state.waiter = continuation }
        return state.at != nil
      }
      if isOver { continuation.resume() }
    }
    return state.withLock { $0.at } ?? .now
  }
}
