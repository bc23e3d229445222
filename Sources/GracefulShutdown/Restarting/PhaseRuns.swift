import Synchronization

/// What all runs of a phase have in common, however often it is started again.
///
/// Two threads may bring what was decided about it in the wrong order. Each decision has a number, and one that comes
/// after a later one changes nothing.
final class PhaseRuns: Sendable {
  private struct State {
    /// Whether scoped sessions wait, instead of being refused.
    var isHeld = false
    var nextId = 0
    var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    /// The last decision about who is let in.
    var admission = 0
    /// The last decision about whether it waits.
    var waiting = 0
  }

  private let state = Mutex(State())
  private let waits = Atomic(false)
  /// The last event about it: of which run, and which.
  private let announced = Atomic(0)

  // MARK: Sessions

  /// Nothing new is let in; scoped sessions wait.
  func hold(_ gate: SessionGate, by decision: Int) {
    decide(decision) { state in
      state.isHeld = true
      gate.pause()
    }
  }

  /// Nothing new is let in, and whoever waits to be is refused.
  func refuse(_ gate: SessionGate, by decision: Int) {
    decide(decision) { state in
      state.isHeld = false
      gate.pause()
    }
  }

  /// Everybody is let in again.
  func admit(_ gate: SessionGate, by decision: Int) {
    decide(decision) { state in
      state.isHeld = false
      gate.resume()
    }
  }

  private func decide(_ decision: Int, _ change: (inout State) -> Void) {
    let waiters: [CheckedContinuation<Void, Never>] = state.withLock { state in
      guard decision > state.admission else { return [] }
      state.admission = decision
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
          // Let go meanwhile, or cancelled before it got here: then the handler below found nobody to wake.
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

  var isWaiting: Bool { waits.load(ordering: .relaxed) }

  /// - Returns: Whether this is news.
  @discardableResult
  func beWaiting(_ isWaiting: Bool, by decision: Int) -> Bool {
    state.withLock { state in
      guard decision > state.waiting else { return false }
      state.waiting = decision
      waits.store(isWaiting, ordering: .relaxed)
      return true
    }
  }

  // MARK: Events

  private static var ranks: Int { 8 }

  /// Whether it has not been said yet of this run, and nothing that comes after it.
  func announces(_ kind: LifecycleEvent.Kind, of run: Int) -> Bool {
    // What may come again and again has no rank.
    guard kind.rank > 0 else { return true }
    let place = run * Self.ranks + kind.rank
    return announced.max(place, ordering: .relaxed).oldValue < place
  }
}
