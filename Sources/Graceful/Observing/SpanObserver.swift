#if Tracing
internal import GracefulShutdown
internal import Synchronization

/// Hands the spans of a lifecycle to a writer, in order and with the instants at which things happened.
final class SpanObserver: LifecycleObserver {
  private struct State {
    var book: SpanBook
    var environment: (any LifecycleEnvironment)?
  }

  let purpose = "spans"
  let lastPhase: String?
  private let write: @Sendable (SpanBook.Action, SpanWriter.TimeOfDay) -> Void
  private let queue = ObservationQueue()
  private let state: Mutex<State>

  init(
    lifecycle: String, lastPhase: String?,
    write: @escaping @Sendable (SpanBook.Action, SpanWriter.TimeOfDay) -> Void
  ) {
    self.lastPhase = lastPhase
    self.write = write
    state = Mutex(State(book: SpanBook(lifecycle: lifecycle, lastPhase: lastPhase)))
  }

  var isSettled: Bool { queue.isIdle }

  func whenSettled(_ body: @escaping @Sendable () -> Void) { queue.whenIdle(body) }

  func begin(_ phases: [String], in environment: any LifecycleEnvironment, at instant: ContinuousClock.Instant) {
    queue.begin(in: environment, phases: phases.count)
    let actions = state.withLock { state in
      state.environment = environment
      return state.book.begin(phases, at: instant)
    }
    add(actions, in: environment)
  }

  func observe(_ event: LifecycleEvent, at instant: ContinuousClock.Instant) {
    let (actions, environment) = state.withLock { ($0.book.note(event, at: instant), $0.environment) }
    if let environment { add(actions, in: environment) }
  }

  private func add(_ actions: [SpanBook.Action], in environment: any LifecycleEnvironment) {
    guard !actions.isEmpty else { return }
    // Both of now, whenever it happened: the writer reckons from here.
    let now = SpanWriter.TimeOfDay(instant: environment.now(), wall: environment.wallTime())
    queue.add { [write] in
      for action in actions { write(action, now) }
    }
  }
}
#endif
