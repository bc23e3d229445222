import Synchronization

/// Whether a stop that is meant for the program, and not only for this process, may be asked for here.
///
/// While a handover is going on, and after it, the process to be stopped is another: a caller that heard from this process
/// that the program has stopped would have heard a lie (T2). Where this process takes part in no handover, it always may.
package final class Succession: Sendable {
  /// How a handover answers for it.
  package struct Part: Sendable {
    /// Why not at this moment; a look that changes nothing.
    package var refusal: @Sendable () -> String?
    /// Why not, or `nil`: then it may, and no handover begins any more.
    ///
    /// Called back once, on any thread.
    package var requestPermission: @Sendable (_ answer: @escaping @Sendable (String?) -> Void) -> Void

    package init(
      refusal: @escaping @Sendable () -> String?,
      requestPermission: @escaping @Sendable (_ answer: @escaping @Sendable (String?) -> Void) -> Void
    ) {
      self.refusal = refusal
      self.requestPermission = requestPermission
    }
  }

  private struct State {
    var part: Part?
    var hasPassedOn = false
    var whenPassedOn: [@Sendable () -> Void] = []
  }

  private let state = Mutex(State())

  package init() {}

  /// From now on this decides.
  package func join(_ part: Part) { state.withLock { $0.part = part } }

  /// A successor has taken over.
  package func passOn() {
    let bodies = state.withLock { state in
      state.hasPassedOn = true
      defer { state.whenPassedOn = [] }
      return state.whenPassedOn
    }
    for body in bodies { body() }
  }

  /// Whether a successor has taken over.
  package var hasPassedOn: Bool { state.withLock { $0.hasPassedOn } }

  /// Calls `body` when a successor has taken over; at once if it has.
  package func whenPassedOn(_ body: @escaping @Sendable () -> Void) {
    let hasPassedOn = state.withLock { state in
      if !state.hasPassedOn { state.whenPassedOn.append(body) }
      return state.hasPassedOn
    }
    if hasPassedOn { body() }
  }

  /// Why it may not at this moment; nothing is changed by asking.
  package var refusal: String? { state.withLock { $0.part }?.refusal() }

  /// Asks whether it may; once it may, no handover begins any more.
  /// - Parameter answer: Called once, on any thread, at once where this process takes part in no handover.
  package func requestPermission(_ answer: @escaping @Sendable (String?) -> Void) {
    guard let part = state.withLock({ $0.part }) else { return answer(nil) }
    part.requestPermission(answer)
  }
}
