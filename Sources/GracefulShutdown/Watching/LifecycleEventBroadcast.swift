import Synchronization

/// From the driver to all readers of the events.
final class LifecycleEventBroadcast: Sendable {
  private struct State {
    var nextId = 0
    var readers: [Int: AsyncStream<LifecycleEvent>.Continuation] = [:]
    /// Of lifecycles that are part of this one.
    var parts: [LifecycleEventBroadcast] = []
    var last: LifecycleReport?
    var observers: [any LifecycleObserver] = []
    /// Of the run, once it has begun.
    var environment: (any LifecycleEnvironment)?
    /// When what is performed now was decided: a thread that is late makes no span longer.
    var instant: MonotonicInstant?
  }

  private let state = Mutex(State())
  private let readers = Atomic(0)
  private let observers = Atomic(0)

  /// Whether there is a reader: ask before an event is put together.
  ///
  /// - Parameter isChild: Whether it is about a child phase: observers are told nothing of these.
  func isHeard(ofChild isChild: Bool) -> Bool {
    readers.load(ordering: .relaxed) > 0 || !isChild && observers.load(ordering: .relaxed) > 0
  }

  func subscribe() -> AsyncStream<LifecycleEvent> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: LifecycleEvent.self, bufferingPolicy: .bufferingNewest(4096))
    let (id, last): (Int, LifecycleReport?) = state.withLock { state in
      state.nextId += 1
      guard state.last == nil else { return (state.nextId, state.last) }
      state.readers[state.nextId] = continuation
      return (state.nextId, nil)
    }
    if let last {
      continuation.yield(LifecycleEvent(.finished, report: last))
      continuation.finish()
      return stream
    }
    readers.add(1, ordering: .relaxed)
    continuation.onTermination = { [weak self] _ in self?.leave(id) }
    return stream
  }

  /// - Parameter isChild: Whether it is about a child phase.
  func send(_ event: LifecycleEvent, ofChild isChild: Bool = false) {
    guard isHeard(ofChild: isChild) else { return }
    // Yielded under the lock: what one thread says after another is read in that order.
    state.withLock { state in
      for reader in state.readers.values { reader.yield(event) }
      if !isChild { Self.tell(state, event) }
      for part in state.parts { part.send(event) }
    }
  }

  /// What is sent from now on was decided then; with `nil`, when it is sent.
  func happens(at instant: MonotonicInstant?) {
    guard observers.load(ordering: .relaxed) > 0 else { return }
    state.withLock { $0.instant = instant }
  }

  private static func tell(_ state: State, _ event: LifecycleEvent) {
    // After the end there is no news; and those of a part are told nothing, its phases belong to the whole.
    guard let environment = state.environment, state.last == nil, !state.observers.isEmpty else { return }
    let now = state.instant.map(ContinuousClock.Instant.init) ?? environment.now()
    for observer in state.observers { observer.observe(event, at: now) }
  }

  /// From now on, what is said here is said there, too.
  func pass(on part: LifecycleEventBroadcast) {
    state.withLock { $0.parts.append(part) }
    readers.add(1, ordering: .relaxed)
  }

  func finish(_ report: LifecycleReport) {
    let (readers, parts) = state.withLock { state in
      Self.tell(state, LifecycleEvent(.finished, report: report))
      state.last = report
      defer { state.readers = [:] }
      return (state.readers.values.map { $0 }, state.parts)
    }
    for part in parts { part.finish(report) }
    for reader in readers {
      reader.yield(LifecycleEvent(.finished, report: report))
      reader.finish()
    }
  }

  private func leave(_ id: Int) {
    let isThere = state.withLock { $0.readers.removeValue(forKey: id) != nil }
    if isThere { readers.subtract(1, ordering: .relaxed) }
  }
}

/// The observers.
extension LifecycleEventBroadcast {
  func add(_ observer: some LifecycleObserver) -> ObserverAdmission {
    let admission: ObserverAdmission = state.withLock { state in
      if state.environment != nil { return .late }
      if state.observers.contains(where: { $0.purpose == observer.purpose }) { return .taken }
      state.observers.append(observer)
      return .admitted
    }
    if admission == .admitted { observers.add(1, ordering: .relaxed) }
    return admission
  }

  /// The run begins: from here on no observer is added.
  func begin(_ phases: [String], in environment: any LifecycleEnvironment) {
    state.withLock { state in
      state.environment = environment
      guard !state.observers.isEmpty else { return }
      let now = environment.now()
      for observer in state.observers { observer.begin(phases, in: environment, at: now) }
    }
  }

  /// Calls back when the observers that have their last chance before this phase have taken it.
  ///
  /// - Parameter limit: The observers get no longer than that.
  /// - Returns: Whether there are such observers; otherwise nothing is called.
  func settle(before phase: Phase, within limit: Duration, then body: @escaping @Sendable () -> Void) -> Bool {
    guard phase.parent == nil, observers.load(ordering: .relaxed) > 0 else { return false }
    let (waiting, environment) = state.withLock { state in
      (state.observers.filter { $0.lastPhase == phase.name }, state.environment)
    }
    guard let environment, !waiting.isEmpty else { return false }
    ObserverGathering.wait(for: waiting, until: environment.now() + limit, in: environment, then: body)
    return true
  }

  /// Returns when all that was observed has been dealt with, or when the time has come.
  func settle(until: ContinuousClock.Instant) async {
    let (observers, environment) = state.withLock { ($0.observers, $0.environment) }
    guard let environment, !observers.isEmpty else { return }
    await withCheckedContinuation { continuation in
      ObserverGathering.wait(for: observers, until: until, in: environment) { continuation.resume() }
    }
  }

  /// The same before an exit at once: it blocks this thread.
  func settleNow(within limit: Duration) {
    let (observers, environment) = state.withLock { ($0.observers, $0.environment) }
    guard let environment, !observers.isEmpty else { return }
    environment.wait(atMost: limit) { observers.allSatisfy(\.isSettled) }
  }
}
