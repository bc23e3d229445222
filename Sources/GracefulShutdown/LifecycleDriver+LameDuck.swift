import Logging
import Synchronization

/// The lame-duck time: what is said of it, and how quiet it is.
extension LifecycleDriver {
  func beginLameDuck(until: MonotonicInstant) {
    let limit = max(until - MonotonicInstant(environment.now()), .zero)
    log.write(
      .notice, "not ready any more; everything is still served for a while", ["lame_duck.limit": limit.brief])
    events.send(LifecycleEvent(.lameDuckBegan))
  }

  /// Counts the sessions that were admitted, when the machine wants to know.
  ///
  /// With the timer's thread: no thread of the pool has to be free for that (S9). But what counts otherwise is code of the
  /// user, and may block: then there is no answer, it is not quiet, and the lame-duck time lasts as long as it may.
  func look(at instant: MonotonicInstant) {
    environment.schedule(at: .init(instant)) { [weak self] in
      guard let self else { return }
      if arrivals.isEmpty { return count() }
      environment.performObservation { [weak self] in self?.count() }
    }
  }

  private func count() {
    // Those of child phases were admitted by one of these, and come and go.
    let gates = state.withLock { $0.phases.map(\.gate) }
    receive(.looked(gates.reduce(arrivals.sum) { $0 &+ $1.counts.admitted }))
  }

  func endLameDuck(_ report: LameDuck.Report) {
    log.write(
      .notice, "the lame-duck time is over", ["lame_duck.took": report.took.brief, "lame_duck.end": "\(report.end)"])
    events.send(LifecycleEvent(.lameDuckEnded, lameDuck: report))
  }
}
