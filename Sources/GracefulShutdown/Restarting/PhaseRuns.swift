import Synchronization

/// What all runs of a phase have in common, however often it is started again.
final class PhaseRuns: Sendable {
  private struct State {
    /// Whether scoped sessions wait, instead of being refused.
    var isHeld = false
    var nextId = 0
    var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
  }

  private let state = Mutex(State())
  private let waits = Atomic(false)

  // MARK: Sessions

  /// Nothing new is let in; scoped sessions wait.
  func hold(_ gate: SessionGate) {
    change { state in
      state.isHeld = true
      gate.pause()
    }
  }

  /// Nothing new is let in, and sessions that wait are refused.
  func refuse(_ gate: SessionGate) {
    change { state in
      state.isHeld = false
      gate.pause()
    }
  }

  /// Sessions are let in again.
  func admit(_ gate: SessionGate) {
    change { state in
      state.isHeld = false
      gate.resume()
    }
  }

  private func change(_ change: (inout State) -> Void) {
    let waiters: [CheckedContinuation<Void, Never>] = state.withLock { state in
      change(&state)
      guard !state.isHeld else { return [] }
      defer { state.waiters = [:] }
      return Array(state.waiters.values)
    }
    for waiter in waiters { waiter.resume() }
  }

  /// Waits while sessions are held.
  ///
  /// - Returns: Whether it is worth to try again: they were held, and the task is not cancelled.
  func waitWhileHeld() async -> Bool {
    let id: Int? = state.withLock { state in
      guard state.isHeld else { return nil }
      state.nextId += 1
      return state.nextId
    }
    guard let id else { return false }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let goOn = state.withLock { state in
          // Let go meanwhile, or cancelled before it got here: then the handler below found no continuation.
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

  // MARK: Waiting for what it requires

  var isWaiting: Bool {
    get { waits.load(ordering: .relaxed) }
    set { waits.store(newValue, ordering: .relaxed) }
  }
}
