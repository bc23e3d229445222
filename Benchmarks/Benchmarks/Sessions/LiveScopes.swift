import Synchronization

/// Any number of tasks that wait inside a scope, until they are let go.
final class LiveScopes: Sendable {
  private struct State {
    var isOpen = false
    var waiting: [UnsafeContinuation<Void, Never>] = []
    var wanted = Int.max
    var reached: UnsafeContinuation<Void, Never>?
  }

  private let state = Mutex(State())

  /// Called inside the scope.
  func wait() async {
    await withUnsafeContinuation { continuation in
      let (goOn, reached) = state.withLock { state in
        if state.isOpen { return (true, nil as UnsafeContinuation<Void, Never>?) }
        state.waiting.append(continuation)
        guard state.waiting.count == state.wanted else { return (false, nil) }
        defer { state.reached = nil }
        return (false, state.reached)
      }
      reached?.resume()
      if goOn { continuation.resume() }
    }
  }

  /// Waits until so many wait.
  func reach(_ count: Int) async {
    await withUnsafeContinuation { continuation in
      let isReached = state.withLock { state in
        if state.waiting.count == count { return true }
        state.wanted = count
        state.reached = continuation
        return false
      }
      if isReached { continuation.resume() }
    }
  }

  func letGo() {
    let waiting = state.withLock { state in
      state.isOpen = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }
}
