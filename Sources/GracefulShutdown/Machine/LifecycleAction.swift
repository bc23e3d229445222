extension LifecycleStateMachine {
  /// What is to be done, in the order in which it was decided.
  package enum Action: Hashable, Sendable {
    /// On the phase with this id.
    case phase(Int, PhaseAction)
    /// On the whole.
    case lifecycle(LifecycleAction)
  }

  /// What is to be done with one phase.
  package enum PhaseAction: Hashable, Sendable {
    case start
    /// The phase said that it is ready, and that counts.
    case ready
    /// The phase was stopped alone before it was ready, or before it began: the start of the whole does not wait for it.
    case stoppedBeforeReady
    /// A stop was asked for; the deadline is that of the whole.
    case hear(deadline: Instant)
    /// All dependents have ended: close the gate, and say when it is empty.
    case drain(deadline: Instant)
    /// The gate is empty, or the time for that is over: the body may clean up.
    case turn(deadline: Instant)
    /// The time to drain is over, and the gate is not empty: cancel the sessions that can be.
    case cut
    case cancel(deadline: Instant)
    case abandon
    /// The phase came back by itself, and is started again after a while.
    case restart(reason: String, after: Duration)
    /// While the phase restarts its gate is closed, and sessions that wait for it are refused.
    case refuse
    /// While the phase restarts its gate is closed; scoped sessions wait.
    case hold
    /// The phase is ready again: its gate is open.
    case admit
    /// A requirement restarts, or all requirements are ready again.
    case waiting(Bool)
    /// The phase has ended in order to be started again: what follows is about a new run, and the old one hears no more.
    case renew
    /// The phase came back by itself, and that was all that it had to do.
    case done
    /// The phase has ended; nothing more will be said to it.
    case release(PhaseEnd)
  }

  /// What is to be done about the whole.
  package enum LifecycleAction: Hashable, Sendable {
    case wake(at: Instant)
    /// No phase is told to drain before this instant, or the end of the lame-duck time.
    case lameDuck(until: Instant)
    /// At this instant, say how many sessions have been admitted.
    case look(at: Instant)
    case lameDuckEnded(LameDuck.Report)
    // A report is large, and there may be a hundred thousand actions in an array.
    indirect case finish(LifecycleReport)
    /// All has ended, but the process has not, and a repeated signal insists: it hangs in its exit.
    indirect case leave(LifecycleReport)
    case ignored(String)
  }
}
