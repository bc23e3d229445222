import Graceful
import GracefulDescriptors
import Logging
import NIOCore
import Synchronization

/// What the requests of one endpoint share: whom they ask, what they may see, and who waits for the end.
///
/// Every connection has its own state, on its own event loop; here is what must be known from any of them, and from
/// the thread that brings the report.
final class StopDesk: Sendable {
  /// Called on any thread: brings the report to one who waits, and completes when the answer is in the kernel.
  typealias Waiter = @Sendable (LifecycleReport) -> EventLoopFuture<Void>

  private struct State {
    var target: StopTarget?
    var token: StopToken?
    var isOpen = false
    var isAsked = false
    var memory = ReadyMemory()
    var report: LifecycleReport?
    var waiters: [Int: Waiter] = [:]
    var nextID = 0
    var complainedAt: ContinuousClock.Instant?
  }

  let endpoint: StopEndpoint
  private let mostWaiting: Int
  private let state = Mutex(State())

  init(_ endpoint: StopEndpoint, mostWaiting: Int) {
    self.endpoint = endpoint
    self.mostWaiting = mostWaiting
  }

  // MARK: What it stops

  /// From now on requests are answered.
  func attach(to target: StopTarget, token: StopToken?) {
    state.withLock { state in
      (state.target, state.token, state.isOpen) = (target, token, true)
      if let lifecycle = target.lifecycle { state.memory.see(lifecycle.snapshot()) }
    }
  }

  /// From now on nothing can be asked for here.
  func leave() {
    state.withLock { state in
      (state.isOpen, state.target) = (false, nil)
      state.waiters = [:]
    }
  }

  /// Not here and now: a log handler may block, and this loop is to answer whatever else is stuck (S9).
  func log(_ level: Logger.Level, _ message: Logger.Message, _ metadata: Logger.Metadata) {
    guard let logger = state.withLock({ $0.target?.lifecycle?.logger }) else { return }
    LiveEnvironment.shared.performLogging { logger.log(level: level, message, metadata: metadata) }
  }

  func see(_ event: LifecycleEvent) { state.withLock { $0.memory.see(event) } }

  func begin(_ phases: [String]) { state.withLock { $0.memory.begin(phases) } }

  // MARK: What a request is told

  /// - Returns: `nil` when the request is for somebody else.
  func verdict(on request: StopEndpoint.Request) -> StopEndpoint.Verdict? {
    let (target, token, report, isAsked, isOpen) = state.withLock {
      ($0.target, $0.token, $0.report, $0.isAsked, $0.isOpen)
    }
    // Nobody listens yet, or any more: no token is known, so nothing can be allowed.
    guard isOpen else { return endpoint.answers(request.target) ? endpoint.closedVerdict(on: request) : nil }
    // Taken outside the lock: there may be ten thousand phases.
    let snapshot = target?.lifecycle?.snapshot()
    let wasReady = state.withLock { state in
      if let snapshot { state.memory.see(snapshot) }
      return snapshot == nil || state.memory.wasReady
    }
    // The end of a process that was taken over from is not the program's.
    let isWhole = report == nil || target?.lifecycle?.whole.succession.objection == nil
    let view = StopEndpoint.View(
      snapshot: snapshot, report: isWhole ? report : nil, wasReady: wasReady, isAsked: isAsked, json: { $0.json() })
    let verdict = endpoint.answer(to: request, seeing: view, token: token)
    if case .answer(let response)? = verdict?.next, response.status == 403 { complain(of: request) }
    return verdict
  }

  /// Whether this is the process to be stopped; else why not.
  /// - Parameter answer: Called once, on any thread; at once where nobody takes part in a handover.
  func mayStop(_ answer: @escaping @Sendable (String?) -> Void) {
    guard let lifecycle = state.withLock({ $0.target?.lifecycle }) else { return answer(nil) }
    lifecycle.whole.succession.mayStop(answer)
  }

  func ask(_ request: StopRequest) {
    let target = state.withLock { state in
      state.isAsked = true
      return state.target
    }
    target?.ask(request)
  }

  /// How far the stop is now that was asked for here.
  var answer: StopAnswer {
    let (report, lifecycle) = state.withLock { ($0.report, $0.target?.lifecycle) }
    if let report { return StopAnswer(report) }
    return lifecycle.map { StopAnswer($0.snapshot()).asked } ?? StopAnswer(state: .accepted)
  }

  /// Whether everything is ready, as far as is known.
  var isReady: Bool { state.withLock { $0.target }?.lifecycle.map { $0.snapshot().state == .running } ?? true }

  enum Place: Equatable, Sendable {
    case waiting(Int)
    /// As many wait as may.
    case full
    /// The report is there already.
    case ended
  }

  /// Waits for the end.
  func wait(_ waiter: @escaping Waiter) -> Place {
    state.withLock { state in
      if state.report != nil { return .ended }
      if state.waiters.count >= mostWaiting { return .full }
      state.nextID += 1
      state.waiters[state.nextID] = waiter
      return .waiting(state.nextID)
    }
  }

  func forget(_ id: Int) {
    // Given out of the lock: what it holds may ask here when it goes.
    let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
    withExtendedLifetime(waiter) {}
  }

  // MARK: The end

  /// Tells everybody who waits, and returns when their answers are in the kernel: it may block, and whoever calls it goes
  /// on without it when that takes too long.
  func conclude(_ report: LifecycleReport) {
    let waiters = state.withLock { state in
      state.report = report
      defer { state.waiters = [:] }
      return state.waiters.sorted { $0.key < $1.key }.map(\.value)
    }
    let answers = waiters.map { $0(report) }
    guard let loop = answers.first?.eventLoop else { return }
    try? EventLoopFuture.andAllComplete(answers, on: loop).wait()
  }

  /// A line a second at most: whoever guesses tokens shall not fill the log.
  private func complain(of request: StopEndpoint.Request) {
    let isDue = state.withLock { state in
      let now = ContinuousClock.now
      if let last = state.complainedAt, now - last < .seconds(1) { return false }
      state.complainedAt = now
      return true
    }
    guard isDue else { return }
    log(.warning, "a request without the right token was refused", ["peer": "\(request.peer ?? "unknown")"])
  }
}

/// Tells a desk what happens in the lifecycle that it stops.
struct StopDeskObserver: LifecycleObserver {
  let desk: StopDesk
  let purpose: String
  /// Another process has taken over.
  var whenSucceeded: @Sendable () -> Void = {}

  var lastPhase: String? { nil }
  var isSettled: Bool { true }

  func begin(_ phases: [String], in environment: any LifecycleEnvironment, at instant: ContinuousClock.Instant) {
    desk.begin(phases)
  }

  func observe(_ event: LifecycleEvent, at instant: ContinuousClock.Instant) {
    desk.see(event)
    if event.kind == .stopRequested, event.request?.source.isSuccessor == true { whenSucceeded() }
  }

  func whenSettled(_ body: @escaping @Sendable () -> Void) { body() }
}

extension StopEndpoint {
  /// Where nothing can be asked for: the process lives, and is not ready.
  fileprivate func closedVerdict(on request: Request) -> Verdict? {
    let view = View(snapshot: nil, wasReady: false, isAsked: true, json: { _ in "" })
    let verdict = answer(to: request, seeing: view, token: nil)
    guard verdict?.stopRequest != nil else { return verdict }
    return Verdict(
      .answer(Response(status: 503, type: "application/json", body: "{\"error\":\"nobody listens here\"}\n")))
  }
}
