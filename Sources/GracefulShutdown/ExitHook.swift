import Synchronization

/// A call when everything has ended, before the exit: an answer that was waited for, a file.
package struct ExitHook: Sendable {
  package enum Moment: Hashable, Sendable {
    /// While the report is written.
    case withReport
    /// After everything else: what follows is the exit.
    case last
  }

  package let moment: Moment
  /// What it is, for the line that says that it was not waited for any longer.
  package let what: String
  /// Called once, on a thread that it may block; it is waited for a second at most.
  package let say: @Sendable (LifecycleReport) -> Void

  package init(
    _ moment: Moment, _ what: String = "what was to be done last", _ say: @escaping @Sendable (LifecycleReport) -> Void
  ) {
    self.moment = moment
    self.what = what
    self.say = say
  }
}

extension LifecycleEnvironment {
  /// Says exitHook where the process goes on: no thread of the pool is blocked by it.
  func say(_ exitHooks: [ExitHook], _ report: LifecycleReport) async {
    let limit = min(.milliseconds(500), report.grace / 8)
    for moment in [ExitHook.Moment.withReport, .last] {
      let due = exitHooks.filter { $0.moment == moment }
      if due.isEmpty { continue }
      let round = ExitHookRound(due.count)
      await withCheckedContinuation { continuation in
        round.begin(continuation)
        schedule(at: now() + limit) { round.giveUp() }
        for exitHook in due {
          performObservation {
            exitHook.say(report)
            round.countDown()
          }
        }
      }
    }
  }
}

private final class ExitHookRound: Sendable {
  private let state: Mutex<(left: Int, waiter: CheckedContinuation<Void, Never>?)>

  init(_ count: Int) { state = Mutex((count, nil)) }

  func begin(_ waiter: CheckedContinuation<Void, Never>) { state.withLock { $0.waiter = waiter } }

  func countDown() {
    let isLast = state.withLock { state in
      state.left -= 1
      return state.left == 0
    }
    if isLast { giveUp() }
  }

  func giveUp() {
    let waiter = state.withLock { state in
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume()
  }
}
