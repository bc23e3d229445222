package import GracefulShutdown
internal import GracefulSystem
internal import Synchronization

/// What all conversations of one trigger share: which program they stop, how far that is, and its end.
///
/// A conversation has its own state, on its own thread or event loop; here is what must be known from any of them, and from
/// the thread that brings the report.
package final class StopResponder: Sendable {
  /// Called on any thread with the end; ``close(_:)`` follows when the answer is in the kernel.
  package typealias Ended = @Sendable (StopAnswer) -> Void

  package enum Place: Equatable, Sendable {
    case open(Int)
    /// As many conversations are open as may be.
    case full
    /// The report is there already.
    case ended
  }

  private struct State {
    var target: StopTarget?
    var isRequested = false
    var report: LifecycleReport?
    var open: [Int: Ended] = [:]
    var nextID = 0
  }

  private let most: Int
  private let state = Mutex(State())

  /// - Parameter most: How many conversations may be open at the same time.
  package init(most: Int = .max) { self.most = most }

  /// From now on a stop can be requested.
  package func attach(to target: StopTarget) { state.withLock { $0.target = target } }

  /// From now on nothing can be requested.
  package func detach() {
    // Released outside the lock: what they hold may call back here.
    let released = state.withLock { state in
      defer { (state.target, state.open) = (nil, [:]) }
      return state.open
    }
    withExtendedLifetime(released) {}
  }

  /// `nil` where there is none, or nothing can be requested.
  package var lifecycle: Lifecycle? { state.withLock { $0.target?.lifecycle } }
  package var report: LifecycleReport? { state.withLock { $0.report } }
  /// Whether a stop was requested here.
  package var isRequested: Bool { state.withLock { $0.isRequested } }

  /// How far the stop is, for a client that has requested one.
  package var answer: StopAnswer {
    let (report, lifecycle) = state.withLock { ($0.report, $0.target?.lifecycle) }
    if let report { return StopAnswer(report) }
    return lifecycle.map { StopAnswer($0.snapshot()).requested } ?? StopAnswer(state: .accepted)
  }

  /// Whether this is the process to be stopped; else why not.
  /// - Parameter answer: Called once, on any thread; at once where there is no handover.
  package func requestPermission(_ answer: @escaping @Sendable (String?) -> Void) {
    guard let lifecycle else { return answer(nil) }
    lifecycle.whole.succession.requestPermission(answer)
  }

  package func requestStop(_ request: StopRequest) {
    let target = state.withLock { state in
      state.isRequested = true
      return state.target
    }
    target?.ask(request)
  }

  /// Takes part in the end; before the stop is requested, which may be over at once.
  package func open(_ ended: @escaping Ended) -> Place {
    state.withLock { state in
      if state.report != nil { return .ended }
      if state.open.count >= most { return .full }
      state.nextID += 1
      state.open[state.nextID] = ended
      return .open(state.nextID)
    }
  }

  /// The last word of a conversation is in the kernel, or its client has gone.
  package func close(_ id: Int) {
    let released = state.withLock { $0.open.removeValue(forKey: id) }
    withExtendedLifetime(released) {}
  }

  /// Tells all conversations, and returns when their answers are in the kernel, or after a second.
  ///
  /// It blocks its thread.
  package func conclude(_ report: LifecycleReport) {
    let open = state.withLock { state in
      state.report = report
      return state.open.sorted { $0.key < $1.key }.map(\.value)
    }
    let answer = StopAnswer(report)
    for ended in open { ended(answer) }
    let limit = ContinuousClock.now + .seconds(1)
    while state.withLock({ !$0.open.isEmpty }), .now < limit { PollTimeout.pause(.milliseconds(1)) }
  }
}
