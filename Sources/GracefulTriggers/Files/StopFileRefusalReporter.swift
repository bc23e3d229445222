internal import Synchronization

/// Tells of refusals on a thread of its own, which a listener may block: requests are heard all the same.
///
/// The thread lives as long as there is something to tell.
final class StopFileRefusalReporter: Sendable {
  private let state = Mutex(State())
  private let calls: StopFileCalls
  private let listeners: [@Sendable (StopFileRefusal) -> Void]

  private struct State {
    var waiting: [StopFileRefusal] = []
    var isTelling = false
  }

  init(_ listeners: [@Sendable (StopFileRefusal) -> Void], calls: StopFileCalls) {
    self.listeners = listeners
    self.calls = calls
  }

  func tell(_ refusal: StopFileRefusal) {
    if listeners.isEmpty { return }
    let isFirst = state.withLock { state in
      if state.waiting.count < 64 { state.waiting.append(refusal) }
      defer { state.isTelling = true }
      return !state.isTelling
    }
    guard isFirst else { return }
    // Without a thread for it, it waits for the next one.
    if calls.startThread("graceful-refuse", { self.tellAll() }) < 0 { state.withLock { $0.isTelling = false } }
  }

  private func tellAll() {
    while true {
      let refusal = state.withLock { state in
        if !state.waiting.isEmpty { return state.waiting.removeFirst() as StopFileRefusal? }
        state.isTelling = false
        return nil
      }
      guard let refusal else { return }
      for listener in listeners { listener(refusal) }
    }
  }
}
