import Synchronization

/// Opens once; who waits ignores its cancellation.
public final class Opening: Sendable {
  private let state = Mutex<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

  /// Makes an opening that is closed.
  public init() {}

  /// Lets every task go on that waits, and every later one.
  public func open() {
    let waiting = state.withLock { state in
      state.isOpen = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for waiter in waiting { waiter.resume() }
  }

  /// Waits until it is open, even when the task is cancelled meanwhile.
  public func wait() async {
    await withCheckedContinuation { continuation in
      let goOn = state.withLock { state in
        if !state.isOpen { state.waiting.append(continuation) }
        return state.isOpen
      }
      if goOn { continuation.resume() }
    }
  }
}
