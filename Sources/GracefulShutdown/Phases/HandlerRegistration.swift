import Synchronization

/// A handler that waits for its moment.
///
/// It runs at most once, outside any lock of ours, and never after ``leave()`` has returned (trap 14).
package final class HandlerRegistration: Sendable {
  private enum State {
    case waiting(@Sendable () -> Void)
    case running([CheckedContinuation<Void, Never>])
    case over
  }

  private let state: Mutex<State>
  private let place = Mutex<(id: Int, moments: PhaseMoments)?>(nil)

  init(_ handler: @escaping @Sendable () -> Void) { state = Mutex(.waiting(handler)) }

  func whenLeft(forget id: Int, on moments: PhaseMoments) { place.withLock { $0 = (id, moments) } }

  func run() {
    let handler: (@Sendable () -> Void)? = state.withLock { state in
      guard case .waiting(let handler) = state else { return nil }
      state = .running([])
      return handler
    }
    guard let handler else { return }
    handler()
    let waiters: [CheckedContinuation<Void, Never>] = state.withLock { state in
      defer { state = .over }
      guard case .running(let waiters) = state else { return [] }
      return waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  /// Releases a handler that was not called, on the thread of the caller and outside the lock.
  func drop() {
    let dropped: State? = state.withLock { state in
      guard case .waiting = state else { return nil }
      defer { state = .over }
      return state
    }
    withExtendedLifetime(dropped) {}
  }

  /// Returns when the handler is not running and never will again.
  package func leave() async {
    let place = place.withLock { place in
      defer { place = nil }
      return place
    }
    place?.moments.forget(place?.id ?? 0)
    drop()
    await withCheckedContinuation { continuation in
      let goOn = state.withLock { state in
        guard case .running(let waiters) = state else {
          state = .over
          return true
        }
        state = .running(waiters + [continuation])
        return false
      }
      if goOn { continuation.resume() }
    }
  }
}
