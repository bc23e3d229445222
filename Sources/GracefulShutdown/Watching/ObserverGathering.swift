import Synchronization

/// Waits for several observers, or for a moment, whatever comes first; then calls back, once.
final class ObserverGathering: Sendable {
  private struct State {
    var missing: Int
    var body: (@Sendable () -> Void)?
  }

  private let state: Mutex<State>

  /// - Parameter until: From when on it waits no longer: an observer that is stuck must not hold up a stop.
  static func wait(
    for observers: [any LifecycleObserver], until: ContinuousClock.Instant, in environment: any LifecycleEnvironment,
    then body: @escaping @Sendable () -> Void
  ) {
    let waiting = observers.filter { !$0.isSettled }
    guard !waiting.isEmpty else { return body() }
    let gathering = ObserverGathering(missing: waiting.count, body)
    environment.schedule(at: until) { gathering.arrive(waiting.count) }
    for observer in waiting { observer.whenSettled { gathering.arrive(1) } }
  }

  private init(missing: Int, _ body: @escaping @Sendable () -> Void) {
    state = Mutex(State(missing: missing, body: body))
  }

  private func arrive(_ count: Int) {
    let body: (@Sendable () -> Void)? = state.withLock { state in
      state.missing -= count
      guard state.missing <= 0 else { return nil }
      defer { state.body = nil }
      return state.body
    }
    body?()
  }
}
