internal import GracefulSystem

/// Tells of refusals on a thread of its own, which a listener may block: requests are heard all the same.
///
/// The thread lives as long as there is something to tell.
final class StopFileRefusalReporter: Sendable {
  private let refusals = Mailbox<StopFileRefusal>()
  private let calls: StopFileCalls
  private let listeners: [@Sendable (StopFileRefusal) -> Void]

  init(_ listeners: [@Sendable (StopFileRefusal) -> Void], calls: StopFileCalls) {
    self.listeners = listeners
    self.calls = calls
  }

  func tell(_ refusal: StopFileRefusal) {
    guard !listeners.isEmpty, refusals.post(refusal, limit: 64) == .isFirst else { return }
    let started = calls.startThread("graceful-refuse") { [self] in
      refusals.drain { refusal in for listener in listeners { listener(refusal) } }
    }
    // Without a thread for it, it waits for the next one.
    if started < 0 { refusals.postpone() }
  }
}
