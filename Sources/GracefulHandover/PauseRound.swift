internal import Synchronization

/// Goes on when all have paused, or when that takes too long; once.
final class PauseRound: Sendable {
  private let state: Mutex<(left: Int, done: (@Sendable () -> Void)?)>

  init(_ count: Int, _ done: @escaping @Sendable () -> Void) { state = Mutex((count, done)) }

  func countDown() {
    let isLast = state.withLock { state in
      state.left -= 1
      return state.left == 0
    }
    if isLast { giveUp() }
  }

  func giveUp() {
    let done = state.withLock { state in
      defer { state.done = nil }
      return state.done
    }
    done?()
  }
}
