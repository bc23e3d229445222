import GracefulTesting
import Logging
import Synchronization

@testable import GracefulShutdown

/// A driver in the hands of a test: what was decided is done when the test says so, as by a thread that is held up between
/// decision and deed.
final class HeldDeeds: Sendable {
  typealias Action = LifecycleStateMachine.Action

  private struct State {
    var driver: LifecycleDriver?
    var holds: @Sendable (Action) -> Bool
    /// What each thread would still have to do, in its order.
    var lists: [[Deed]] = []
    var decided: [Deed] = []
    /// Done, or held.
    var taken: [Action] = []
    var waiters: [(holds: @Sendable ([Action]) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
  }

  private let state: Mutex<State>

  /// - Parameter holds: What is not done at once.
  init(holding holds: @escaping @Sendable (Action) -> Bool) { state = Mutex(State(holds: holds)) }

  /// Of a lifecycle that was written down, and runs with this driver and no other.
  func driver(
    _ declarations: [PhaseGraph.Declaration], bodies: [Lifecycle.Body], on clock: ManualClock
  ) -> LifecycleDriver {
    let driver = LifecycleDriver(
      LifecycleStateMachine(name: "held", grace: .seconds(20), graph: PhaseGraph(declarations)), bodies: bodies,
      filters: bodies.map { _ in nil }, environment: clock,
      log: LifecycleLog(name: "held", logger: .silent, environment: clock),
      events: LifecycleEventBroadcast(), exiting: false, later: { [weak self] in self?.take($0) })
    state.withLock { $0.driver = driver }
    return driver
  }

  private func take(_ deeds: [Deed]) {
    let (driver, now): (LifecycleDriver?, [Deed]) = state.withLock { state in
      state.decided += deeds
      let held = deeds.filter { state.holds($0.action) }
      if !held.isEmpty { state.lists.append(held) }
      return (state.driver, deeds.filter { !state.holds($0.action) })
    }
    for deed in now { driver?.perform(deed) }
    let waiters = state.withLock { state in
      state.taken += deeds.map(\.action)
      let taken = state.taken
      let due = state.waiters.filter { $0.holds(taken) }
      state.waiters.removeAll { $0.holds(taken) }
      return due
    }
    for waiter in waiters { waiter.continuation.resume() }
  }

  /// Waits until such a thing has been decided, so often, and all that was decided with it is done or held.
  ///
  /// What the driver says that it is, it says between the two: time that passes then, passes before a wake-up is asked for.
  func wait(times: Int = 1, for matches: @escaping @Sendable (Action) -> Bool) async {
    let holds: @Sendable ([Action]) -> Bool = { $0.count(where: matches) >= times }
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if holds(state.taken) { return true }
        state.waiters.append((holds, continuation))
        return false
      }
      if isThere { continuation.resume() }
    }
  }

  /// How many are held.
  var count: Int { state.withLock { $0.lists.reduce(0) { $0 + $1.count } } }

  /// All that has been decided, in this order.
  var decided: [Deed] { state.withLock { $0.decided }.sorted { $0.number < $1.number } }

  /// Does the first one of one of the lists.
  ///
  /// - Returns: Whether there was one.
  func performNext(_ choose: (Int) -> Int) -> Bool {
    let (driver, deed): (LifecycleDriver?, Deed?) = state.withLock { state in
      guard !state.lists.isEmpty else { return (nil, nil) }
      let list = choose(state.lists.count)
      let deed = state.lists[list].removeFirst()
      if state.lists[list].isEmpty { state.lists.remove(at: list) }
      return (state.driver, deed)
    }
    guard let deed else { return false }
    driver?.perform(deed)
    return true
  }

  /// Does all that is held, and holds nothing any more.
  func performAll() {
    state.withLock { $0.holds = { _ in false } }
    while performNext({ _ in 0 }) {}
  }

  /// The driver has it, and it has the driver.
  func letGo() { state.withLock { $0.driver = nil } }
}
