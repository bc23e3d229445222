import Synchronization

/// Rings once; whoever waits for it goes on, and whoever comes later does not wait.
final class Bell: Sendable {
  private struct State {
    var hasRung = false
    var nextWaiter = 0
    var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    /// Waiters whose task was cancelled before they had registered.
    var cancelled: Set<Int> = []
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
          if state.hasRung || state.cancelled.remove(id) != nil { return true }
          state.waiters[id] = continuation
          return false
        }
        if goOn { continuation.resume() }
      }
    } onCancel: {
      // The handler may run before the operation has registered: then it leaves a note that it finds there.
      let waiter = state.withLock { state in
        let waiter = state.waiters.removeValue(forKey: id)
        if waiter == nil, !state.hasRung { state.cancelled.insert(id) }
        return waiter
      }
      waiter?.resume()
    }
    _ = state.withLock { $0.cancelled.remove(id) }
  }
}
