import GracefulShutdown

/// Actions as the tables of the tests write them.
extension LifecycleStateMachine.Action {
  typealias Instant = LifecycleStateMachine.Instant

  static func start(_ id: Int) -> Self { .phase(id, .start) }
  static func ready(_ id: Int) -> Self { .phase(id, .ready) }
  static func stoppedBeforeReady(_ id: Int) -> Self { .phase(id, .stoppedBeforeReady) }
  static func hear(_ id: Int, deadline: Instant) -> Self { .phase(id, .hear(deadline: deadline)) }
  static func drain(_ id: Int, deadline: Instant) -> Self { .phase(id, .drain(deadline: deadline)) }
  static func turn(_ id: Int, deadline: Instant) -> Self { .phase(id, .turn(deadline: deadline)) }
  static func cut(_ id: Int) -> Self { .phase(id, .cut) }
  static func cancel(_ id: Int, deadline: Instant) -> Self { .phase(id, .cancel(deadline: deadline)) }
  static func abandon(_ id: Int) -> Self { .phase(id, .abandon) }
  static func restart(_ id: Int, reason: String, after delay: Duration) -> Self {
    .phase(id, .restart(reason: reason, after: delay))
  }
  static func refuse(_ id: Int) -> Self { .phase(id, .refuse) }
  static func hold(_ id: Int) -> Self { .phase(id, .hold) }
  static func admit(_ id: Int) -> Self { .phase(id, .admit) }
  static func waiting(_ id: Int, _ isWaiting: Bool) -> Self { .phase(id, .waiting(isWaiting)) }
  static func renew(_ id: Int) -> Self { .phase(id, .renew) }
  static func done(_ id: Int) -> Self { .phase(id, .done) }
  static func release(_ id: Int, _ end: PhaseEnd) -> Self { .phase(id, .release(end)) }
  static func wake(at instant: Instant) -> Self { .lifecycle(.wake(at: instant)) }
  static func lameDuck(until instant: Instant) -> Self { .lifecycle(.lameDuck(until: instant)) }
  static func look(at instant: Instant) -> Self { .lifecycle(.look(at: instant)) }
  static func lameDuckEnded(_ report: LameDuck.Report) -> Self { .lifecycle(.lameDuckEnded(report)) }
  static func leave(_ report: LifecycleReport) -> Self { .lifecycle(.leave(report)) }
  static func ignored(_ reason: String) -> Self { .lifecycle(.ignored(reason)) }
}
