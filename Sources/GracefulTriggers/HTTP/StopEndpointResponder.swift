package import GracefulShutdown
package import Logging
internal import Synchronization

/// What the requests to one ``StopEndpoint`` share: its secret, what may be seen of the program, and the stop.
///
/// It knows no server: a request comes in as a value, from any event loop.
package final class StopEndpointResponder: Sendable {
  private struct State {
    var token: StopToken?
    var isOpen = false
    var readiness = ReadyMemory()
    var complainedAt: ContinuousClock.Instant?
  }

  package let endpoint: StopEndpoint
  /// The conversations with the clients that asked here for a stop.
  package let stop: StopResponder
  private let json: @Sendable (LifecycleSnapshot) -> String
  private let performLogging: @Sendable (@escaping @Sendable () -> Void) -> Void
  private let state = Mutex(State())

  /// - Parameters:
  ///   - most: How many clients may wait for their answer at the same time.
  ///   - json: A snapshot as JSON of schema 1.
  ///   - performLogging: Calls it elsewhere and later: a log handler may block, and the loop that answers must not (S9).
  package init(
    _ endpoint: StopEndpoint, most: Int, json: @escaping @Sendable (LifecycleSnapshot) -> String,
    performLogging: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
  ) {
    self.endpoint = endpoint
    stop = StopResponder(most: most)
    self.json = json
    self.performLogging = performLogging
  }

  /// From now on requests are answered.
  package func attach(to target: StopTarget, token: StopToken?) {
    stop.attach(to: target)
    let snapshot = target.lifecycle?.snapshot()
    state.withLock { state in
      (state.token, state.isOpen) = (token, true)
      if let snapshot { state.readiness.see(snapshot) }
    }
  }

  /// From now on nothing can be asked for here.
  package func detach() {
    state.withLock { $0.isOpen = false }
    stop.detach()
  }

  /// Whether everything is ready, as far as is known.
  package var isReady: Bool { stop.lifecycle.map { $0.snapshot().state == .running } ?? true }

  /// What is to be done about a request; `nil` when its path is not one of the endpoint's.
  package func decision(on request: StopEndpoint.Request) -> StopEndpoint.Decision? {
    let (token, isOpen) = state.withLock { ($0.token, $0.isOpen) }
    // Before and after it listens no token is known, so nothing can be allowed.
    guard isOpen else { return endpoint.answers(request.target) ? endpoint.closedDecision(on: request) : nil }
    let lifecycle = stop.lifecycle
    // Taken outside the lock: there may be ten thousand phases.
    let snapshot = lifecycle?.snapshot()
    let wasReady = state.withLock { state in
      if let snapshot { state.readiness.see(snapshot) }
      return snapshot == nil || state.readiness.wasReady
    }
    // The end of a process that was taken over from is not the program's.
    let report = lifecycle?.whole.succession.refusal == nil ? stop.report : nil
    let view = StopEndpoint.View(
      snapshot: snapshot, report: report, wasReady: wasReady, isAsked: stop.isRequested, json: json)
    let decision = endpoint.answer(to: request, seeing: view, token: token)
    if case .answer(let response)? = decision?.next, response.status == 403 { complain(of: request) }
    return decision
  }

  package func log(_ level: Logger.Level, _ message: Logger.Message, _ metadata: Logger.Metadata) {
    guard let logger = stop.lifecycle?.logger else { return }
    performLogging { logger.log(level: level, message, metadata: metadata) }
  }

  /// A line a second at most: guesses of the token shall not fill the log.
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

  fileprivate func see(_ change: (inout ReadyMemory) -> Void) { state.withLock { change(&$0.readiness) } }
}

/// Tells a responder what happens in the lifecycle that it stops.
package struct StopEndpointObserver: LifecycleObserver {
  private let responder: StopEndpointResponder
  package let purpose: String
  private let whenSucceeded: @Sendable () -> Void

  /// - Parameter whenSucceeded: Called when a successor has taken over.
  package init(
    _ responder: StopEndpointResponder, purpose: String, whenSucceeded: @escaping @Sendable () -> Void = {}
  ) {
    self.responder = responder
    self.purpose = purpose
    self.whenSucceeded = whenSucceeded
  }

  package var lastPhase: String? { nil }
  package var isSettled: Bool { true }

  package func begin(
    _ phases: [String], in environment: any LifecycleEnvironment, at instant: ContinuousClock.Instant
  ) {
    responder.see { $0.begin(phases) }
  }

  package func observe(_ event: LifecycleEvent, at instant: ContinuousClock.Instant) {
    responder.see { $0.see(event) }
    if event.kind == .stopRequested, event.request?.source.isSuccessor == true { whenSucceeded() }
  }

  package func whenSettled(_ body: @escaping @Sendable () -> Void) { body() }
}

extension StopEndpoint {
  /// The token, when there is to be one.
  package func secret(from source: StopTokenSource?, trigger: String) throws(TriggerError) -> StopToken? {
    if let mistake = mistake(token: source) { throw TriggerError(trigger: trigger, reason: mistake) }
    do {
      return try source?.read()
    } catch {
      throw TriggerError(trigger: trigger, reason: "\(error)")
    }
  }

  /// Where nothing can be asked for: the process lives, and is not ready.
  fileprivate func closedDecision(on request: Request) -> Decision? {
    let view = View(snapshot: nil, wasReady: false, isAsked: true, json: { _ in "" })
    let decision = answer(to: request, seeing: view, token: nil)
    guard decision?.stopRequest != nil else { return decision }
    return Decision(
      .answer(Response(status: 503, type: "application/json", body: "{\"error\":\"nobody listens here\"}\n")))
  }
}

extension StopEndpoint.Decision {
  /// What the client of a stop wants to know.
  package var interest: StopConversationStateMachine.Interest {
    switch next {
    case .answer: .acceptance
    case .wait(let limit): .end(within: limit)
    case .stream(let limit): .changes(within: limit)
    }
  }
}
