#if Metrics
internal import GracefulShutdown
internal import Synchronization

/// Samples a lifecycle on a schedule and at its turning points, and hands what is new to a writer.
final class MetricsObserver: LifecycleObserver {
  private struct State {
    var book: MetricBook
    /// Samples that are being taken, or wait to be.
    var samples = 0
    var hasFinished = false
    var hasStopped = false
  }

  let purpose = "metrics"
  let lastPhase: String?
  private let period: Duration
  private let snapshot: @Sendable () -> LifecycleSnapshot?
  private let write: @Sendable (MetricBook.Measurement) -> Void
  private let queue = ObservationQueue()
  private let state: Mutex<State>

  init(
    lifecycle: String, every period: Duration, lastPhase: String?,
    snapshot: @escaping @Sendable () -> LifecycleSnapshot?,
    write: @escaping @Sendable (MetricBook.Measurement) -> Void
  ) {
    self.period = period
    self.lastPhase = lastPhase
    self.snapshot = snapshot
    self.write = write
    state = Mutex(State(book: MetricBook(lifecycle: lifecycle)))
  }

  var isSettled: Bool { queue.isIdle }

  func whenSettled(_ body: @escaping @Sendable () -> Void) { queue.whenIdle(body) }

  func begin(_ phases: [String], in environment: any LifecycleEnvironment, at instant: ContinuousClock.Instant) {
    queue.begin(in: environment, phases: phases.count)
    state.withLock { $0.book.begin(phases, at: instant) }
    sample(always: true)
    arm(at: instant + period, in: environment)
  }

  func observe(_ event: LifecycleEvent, at instant: ContinuousClock.Instant) {
    // Here, so that it is in the order of the events; what follows from it, is for the queue.
    let (measurements, isTurningPoint) = state.withLock { state -> ([MetricBook.Measurement], Bool) in
      let measurements = state.book.note(event, at: instant)
      let isLast = event.kind == .finished
      let isFirstStop = event.kind == .stopRequested && !state.hasStopped
      if isLast { state.hasFinished = true }
      if isFirstStop { state.hasStopped = true }
      return (measurements, isLast || isFirstStop || event.kind == .draining && event.phase == lastPhase)
    }
    if isTurningPoint { sample(always: true) }
    guard !measurements.isEmpty else { return }
    queue.add { [write] in
      for measurement in measurements { write(measurement) }
    }
  }

  /// - Parameter always: Also when another one waits: that one may have been taken too early.
  private func sample(always: Bool) {
    let isDue = state.withLock { state in
      guard always || state.samples == 0 else { return false }
      state.samples += 1
      return true
    }
    guard isDue else { return }
    let isAccepted = queue.add { [self] in
      if let taken = snapshot() {
        let measurements = state.withLock { $0.book.sample(taken) }
        for measurement in measurements { write(measurement) }
      }
      state.withLock { $0.samples -= 1 }
    }
    if !isAccepted { state.withLock { $0.samples -= 1 } }
  }

  /// On a grid, so that what is late makes nothing else late.
  private func arm(at instant: ContinuousClock.Instant, in environment: any LifecycleEnvironment) {
    environment.schedule(at: instant) { [weak self] in
      guard let self, !state.withLock({ $0.hasFinished }) else { return }
      sample(always: false)
      // After a pause (a laptop that slept) not all that was missed.
      let late = environment.now() - instant
      arm(at: instant + period * (Int(late / period) + 1), in: environment)
    }
  }
}
#endif
