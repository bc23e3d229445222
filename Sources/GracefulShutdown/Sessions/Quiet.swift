import Synchronization

extension Phase {
  /// Waits until no session has been admitted for so long.
  ///
  /// A load balancer goes on sending for a while after it was told to stop: rather than to wait a fixed time, watch when
  /// the last new connection came.
  ///
  /// The count is looked at every eighth of the duration, so it returns up to an eighth late, and never early. The
  /// duration begins at the call, at the earliest; zero or less returns at once. What was refused does not count as new,
  /// the sub-work of a session does. Returns early when the task that waits is cancelled.
  public func quiet(for duration: Duration) async {
    guard duration > .zero else { return }
    let watch = QuietWatch(gate: gate, duration: duration.bounded, environment: environment)
    await withTaskCancellationHandler {
      await withCheckedContinuation { watch.begin($0) }
    } onCancel: {
      watch.end()
    }
  }
}

/// Samples how many have been admitted.
private final class QuietWatch: Sendable {
  private struct State {
    var admitted: UInt64
    var quietSince: ContinuousClock.Instant
    var waiter: CheckedContinuation<Void, Never>?
    var hasEnded = false
  }

  private let gate: SessionGate
  private let duration: Duration
  private let environment: any LifecycleEnvironment
  private let state: Mutex<State>

  init(gate: SessionGate, duration: Duration, environment: any LifecycleEnvironment) {
    self.gate = gate
    self.duration = duration
    self.environment = environment
    state = Mutex(State(admitted: gate.counts.admitted, quietSince: environment.now()))
  }

  func begin(_ waiter: CheckedContinuation<Void, Never>) {
    let goesOn = state.withLock { state in
      if !state.hasEnded { state.waiter = waiter }
      return !state.hasEnded
    }
    // Cancelled before it got here: then the handler has found no continuation.
    if goesOn { lookAgain() } else { waiter.resume() }
  }

  func end() {
    let waiter = state.withLock { state in
      state.hasEnded = true
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume()
  }

  private func lookAgain() {
    let (now, admitted) = (environment.now(), gate.counts.admitted)
    let next: ContinuousClock.Instant? = state.withLock { state in
      if state.hasEnded { return nil }
      if state.admitted != admitted {
        state.admitted = admitted
        state.quietSince = now
      }
      return min(now + duration / 8, state.quietSince + duration)
    }
    guard let next else { return }
    if next <= now { return end() }
    environment.schedule(at: next) { [self] in lookAgain() }
  }
}
