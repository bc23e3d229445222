internal import CGracefulSystem
internal import GracefulShutdown
internal import Logging
internal import Synchronization

/// Tells the service manager what happens in a lifecycle; waits for nothing.
///
/// It looks and sends on the observers' threads of the environment, so that a hung pool is told of, too (S9).
final class NotifyDriver: LifecycleObserver {
  private struct State {
    var machine = NotifyStateMachine()
    var environment: (any LifecycleEnvironment)?
    /// What its queue had no room for.
    var waiting: [String] = []
    var isRetrying = false
    var hasComplained = false
  }

  let purpose = "systemd"
  let lastPhase: String? = nil
  private let snapshot: @Sendable () -> LifecycleSnapshot?
  private let send: @Sendable (String) -> NotifySocket.Outcome
  private let complain: @Sendable (String) -> Void
  /// Whether a process belongs to the same unit as this one.
  private let isOfThisUnit: @Sendable (Int32) -> Bool
  private let queue = ObservationQueue()
  private let state = Mutex(State())

  private static let mostWaiting = 16

  init(
    snapshot: @escaping @Sendable () -> LifecycleSnapshot?,
    isOfThisUnit: @escaping @Sendable (Int32) -> Bool = SameUnit.holds,
    complain: @escaping @Sendable (String) -> Void = { _ in },
    send: @escaping @Sendable (String) -> NotifySocket.Outcome
  ) {
    self.snapshot = snapshot
    self.isOfThisUnit = isOfThisUnit
    self.complain = complain
    self.send = send
  }

  var isSettled: Bool { queue.isIdle && state.withLock { $0.waiting.isEmpty } }

  func whenSettled(_ body: @escaping @Sendable () -> Void) { queue.whenIdle(body) }

  func begin(_ phases: [String], in environment: any LifecycleEnvironment, at instant: ContinuousClock.Instant) {
    queue.begin(in: environment, phases: phases.count)
    state.withLock { $0.environment = environment }
    receive(.begin(phases), at: instant)
  }

  func observe(_ event: LifecycleEvent, at instant: ContinuousClock.Instant) {
    switch (event.kind, event.phase) {
    case (.ready, let phase?), (.stoppedBeforeReady, let phase?): receive(.ready(phase), at: instant)
    case (.stopRequested, _): stopRequested(event.request, at: instant)
    case (.finished, _): receive(.finished(exitCode: event.report?.exitCode ?? 0), at: instant)
    case (.draining, _), (.ended, _), (.cancelled, _), (.restarting, _), (.waiting, _), (.resumed, _),
      (.lameDuckBegan, _), (.lameDuckEnded, _):
      receive(.changed, at: instant)
    default: break
    }
  }

  /// This process has a predecessor.
  func joined(after predecessor: Int32) {
    guard isOfThisUnit(predecessor) else { return }
    receive(.inherited, at: .now)
  }

  func predecessorEnded() { receive(.predecessorEnded(own: cgs_process_id()), at: .now) }

  private func stopRequested(_ request: StopRequest?, at instant: ContinuousClock.Instant) {
    guard let request else { return }
    var successor: Int32?
    // One of another unit is not ours to name.
    if case .successor(let process) = request.source.origin, isOfThisUnit(process) { successor = process }
    receive(.stop(by: TerminalText.line(of: "\(request.source)", columns: 80), successor: successor), at: instant)
  }

  private func receive(_ event: NotifyStateMachine.Event, at instant: ContinuousClock.Instant) {
    let (actions, environment) = state.withLock { state in
      (state.machine.receive(event, at: instant), state.environment)
    }
    guard let environment else { return }
    for action in actions { perform(action, in: environment) }
  }

  /// Often called under the lock of the events: nothing is done here and now.
  private func perform(_ action: NotifyStateMachine.Action, in environment: any LifecycleEnvironment) {
    switch action {
    case .send(let lines): queue.add { [self] in say(lines.joined(separator: "\n"), in: environment) }
    case .look:
      queue.add { [self] in
        let taken = snapshot()
        receive(.looked(taken.map(NotifyStatus.line) ?? "", left: taken?.left), at: environment.now())
      }
    case .wake(let instant):
      environment.schedule(at: instant) { [weak self] in self?.receive(.wake, at: environment.now()) }
    }
  }

  private func say(_ text: String, in environment: any LifecycleEnvironment) {
    let isFirst = state.withLock { state in
      // In order, whatever comes later.
      guard !state.waiting.isEmpty else { return true }
      state.waiting.append(text)
      return false
    }
    if isFirst { deliver(text, in: environment) } else { thin() }
  }

  private func deliver(_ text: String, in environment: any LifecycleEnvironment) {
    switch send(text) {
    case .sent: break
    case .full:
      state.withLock { $0.waiting.insert(text, at: 0) }
      thin()
      environment.schedule(at: environment.now() + .milliseconds(20)) { [weak self] in self?.retry(in: environment) }
    case .failed(let error):
      // No listener there, or none any more: each further message is tried all the same, and it is said once.
      let isNews = state.withLock { state in
        defer { state.hasComplained = true }
        return !state.hasComplained
      }
      if isNews { complain("\(error)") }
    }
  }

  private func retry(in environment: any LifecycleEnvironment) {
    queue.add { [self] in
      let waiting = state.withLock { state in
        defer { state.waiting = [] }
        return state.waiting
      }
      for text in waiting { say(text, in: environment) }
    }
  }

  /// A status is old news by then.
  private func thin() {
    state.withLock { state in
      guard state.waiting.count > Self.mostWaiting else { return }
      state.waiting.removeAll { $0.hasPrefix("STATUS=") }
      state.waiting = Array(state.waiting.suffix(Self.mostWaiting))
    }
  }
}
