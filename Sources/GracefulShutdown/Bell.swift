import Synchronization

/// Rings once; whoever waits for it goes on, and whoever comes later does not wait.
final class Bell: Sendable {
  private struct State {
    var hasRung = false
    var nextWaiter = 0
    var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
  }

  private let state = Mutex(State())

  func ring() {
    let waiters = state.withLock { state in
      state.hasRung = true
      defer { state.waiters = [:] }
      return state.waiters.values
    }
    for waiter in waiters { waiter.resume() }
  }

  /// Returns when it has rung, or when the task that waits is cancelled.
  func wait() async {
    let id = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let goOn = state.withLock { state in
          // A task that was cancelled before it got here: the handler below has run, and found nobody to wake.
          if state.hasRung || Task.isCancelled { return true }
          state.waiters[id] = continuation
          return false
        }
        if goOn { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
    }
  }
}
