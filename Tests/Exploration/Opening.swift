import Synchronization

/// Opens once; who waits ignores its cancellation.
public final class Opening: Sendable {
  private let state = Mutex<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

  /// Makes one that is closed.
  public init() {}

  /// Lets everybody go on who waits, and whoever comes later.
  public func open() {
    let waiting = state.withLock { state in
      state.isOpen = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for waiter in waiting { waiter.resume() }
  }

  /// Waits until it is open, whoever is cancelled meanwhile.
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
