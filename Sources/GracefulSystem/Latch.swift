internal import Synchronization

/// A value that is set once: asked for, told to a callback, or waited for, by a task or by a thread.
package final class Latch<Value: Sendable>: Sendable {
  private enum State: Sendable {
    case open([@Sendable (Value) -> Void])
    case set(Value)
  }

  private let state = Mutex(State.open([]))

  package init() {}

  /// `nil` until it is set.
  package var value: Value? { state.withLock { if case .set(let value) = $0 { value } else { nil } } }

  package var isSet: Bool { value != nil }

  /// Sets it, and calls what waits for it, on this thread and outside the lock.
  /// - Returns: Whether this call did; the first one wins.
  @discardableResult
  package func set(_ value: Value) -> Bool {
    let waiting: [@Sendable (Value) -> Void]? = state.withLock { state in
      guard case .open(let waiting) = state else { return nil }
      state = .set(value)
      return waiting
    }
    for body in waiting ?? [] { body(value) }
    return waiting != nil
  }

  /// Calls `body` once: at once, on this thread, when it is set already; else on the thread that sets it.
  package func whenSet(_ body: @escaping @Sendable (Value) -> Void) {
    let value: Value? = state.withLock { state in
      switch state {
      case .set(let value): return value
      case .open(let waiting):
        state = .open(waiting + [body])
        return nil
      }
    }
    if let value { body(value) }
  }

  /// Waits without blocking a thread; cancelling the task does not end the wait.
  package func wait() async -> Value {
    await withCheckedContinuation { continuation in whenSet { continuation.resume(returning: $0) } }
  }

  /// Blocks the calling thread, which must not be one of the cooperative pool.
  /// - Returns: `nil` when the time was over first.
  package func wait(atMost limit: Duration) -> Value? {
    if let value { return value }
    let deadline = ContinuousClock.now + limit
    // Without a descriptor for it there is no waking, and it is looked at every millisecond.
    let pipe = try? WakePipe(for: "latch")
    if let pipe { whenSet { _ in pipe.wake() } }
    while true {
      let left = deadline - .now
      if let value { return value }
      guard left > .zero else { return nil }
      if let pipe { pipe.wait(atMost: left) } else { PollTimeout.pause(.milliseconds(1)) }
    }
  }
}

extension Latch<Void> {
  @discardableResult
  package func set() -> Bool { set(()) }
}

/// Opens when it has been counted down so many times.
package final class CountdownLatch: Sendable {
  /// Set when nothing is left to count.
  package let opened = Latch<Void>()
  private let left: Atomic<Int>

  /// - Parameter count: 0 or less is open from the beginning.
  package init(_ count: Int) {
    left = Atomic(count)
    if count <= 0 { opened.set() }
  }

  package func countDown() {
    if left.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { opened.set() }
  }
}
