import Synchronization
public import Testing

/// A suite that needs the machine for itself: one such suite at a time, over all targets.
///
/// Tests of all targets run in one process, and at the same time. Those that count descriptors or processes, that hold a
/// limit against the clock, or that keep every thread of the pool busy, would find each other's.
public struct WholeMachineTrait: SuiteTrait, TestTrait, TestScoping {
  /// Waits for its turn, runs the suite, and passes the turn on.
  public func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    await Turns.shared.take()
    defer { Turns.shared.pass() }
    try await function()
  }
}

extension Trait where Self == WholeMachineTrait {
  /// One suite or test with this trait at a time.
  public static var wholeMachine: Self { Self() }
}

private final class Turns: Sendable {
  static let shared = Turns()

  private struct State {
    var isTaken = false
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  func take() async {
    await withCheckedContinuation { turn in
      let isMine = state.withLock { state in
        if state.isTaken { state.waiting.append(turn) }
        defer { state.isTaken = true }
        return !state.isTaken
      }
      if isMine { turn.resume() }
    }
  }

  func pass() {
    let next = state.withLock { state in
      if state.waiting.isEmpty {
        state.isTaken = false
        return nil as CheckedContinuation<Void, Never>?
      }
      return state.waiting.removeFirst()
    }
    next?.resume()
  }
}
