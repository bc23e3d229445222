internal import Synchronization

/// What happened in a test, in order: to await it, and to assert the order afterwards.
public final class Recorder: Sendable {
  private struct State {
    var events: [String] = []
    var nextWaiter = 0
    var waiters: [Int: (wanted: String, continuation: CheckedContinuation<Void, Never>)] = [:]
  }

  private let state = Mutex(State())

  /// Makes one that has recorded nothing.
  public init() {}

  /// Everything so far.
  public var events: [String] { state.withLock { $0.events } }

  /// Records an event.
  ///
  /// From any thread.
  public func record(_ event: String) {
    let waiters = state.withLock { state in
      state.events.append(event)
      let woken = state.waiters.values.filter { $0.wanted == event }.map(\.continuation)
      state.waiters = state.waiters.filter { $0.value.wanted != event }
      return woken
    }
    for waiter in waiters { waiter.resume() }
  }

  /// Waits until an event has been recorded; returns at once when it has been before.
  ///
  /// It waits for ever for what never comes: give the test a time limit, which ends the wait too.
  public func wait(for event: String) async {
    let id = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let goOn = state.withLock { state in
          // Cancelled before it got here: then the handler found nobody to wake.
          if state.events.contains(event) || Task.isCancelled { return true }
          state.waiters[id] = (event, continuation)
          return false
        }
        if goOn { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiters.removeValue(forKey: id) }?.continuation.resume()
    }
  }

  /// Whether these events were recorded in this order, whatever came between them.
  public func saw(inOrder events: String...) -> Bool {
    var rest = events[...]
    for event in self.events where event == rest.first { rest = rest.dropFirst() }
    return rest.isEmpty
  }
}
