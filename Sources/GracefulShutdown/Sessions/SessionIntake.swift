import Synchronization

/// Where scoped sessions wait while their phase restarts, if its policy lets them.
final class SessionIntake: Sendable {
  private struct State {
    var isHeld = false
    var nextId = 0
    var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
  }

  private let state = Mutex(State())

  func pause(waiting: Bool) { state.withLock { $0.isHeld = waiting } }

  /// It is ready again, or takes nothing any more: whoever waits tries again, and is admitted or refused.
  func open() {
    let waiters = state.withLock { state in
      state.isHeld = false
      defer { state.waiters = [:] }
      return state.waiters.values
    }
    for waiter in waiters { waiter.resume() }
  }

  /// Waits while it is held.
  ///
  /// - Returns: Whether it is worth to try again: it was held, and the task is not cancelled.
  func wait() async -> Bool {
    let id: Int? = state.withLock { state in
      guard state.isHeld else { return nil }
      state.nextId += 1
      return state.nextId
    }
    guard let id else { return false }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let goOn = state.withLock { state in
          // Opened meanwhile, or cancelled before it got here: then the handler below found nobody to wake.
          if !state.isHeld || Task.isCancelled { return true }
          state.waiters[id] = continuation
          return false
        }
        if goOn { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
    }
    return !Task.isCancelled
  }
}
