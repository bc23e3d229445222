internal import GracefulDescriptors
internal import GracefulHandover
internal import GracefulShutdown
internal import GracefulSystem
internal import GracefulTriggers
internal import Synchronization

/// Speaks with the peers at a control socket: performs what the machine decides.
///
/// On a thread of its own: it answers although every thread of Swift's cooperative pool is blocked, and a snapshot of ten
/// thousand phases holds up neither a deadline nor a handover.
final class ControlServer: Sendable {
  typealias ConnectionID = ControlStateMachine.ConnectionID

  /// What it answers for.
  struct Surroundings: Sendable {
    var ask: @Sendable (StopRequest) -> Void
    /// In JSON; `nil` where there is no lifecycle.
    var snapshot: (@Sendable () -> String)?
    /// In JSON; `nil` where there is no lifecycle.
    var plan: (@Sendable () -> String)?
    /// 0 where there is no handover.
    var generation: @Sendable () -> UInt32 = { 0 }
    /// Tells whether this process is the one to be stopped; else why not.
    ///
    /// Called back once, on any thread.
    var requestPermission: @Sendable (_ answer: @escaping @Sendable (_ reason: String?) -> Void) -> Void = { $0(nil) }
    /// `nil` where there is no handover.
    var restart: (@Sendable () -> Void)?
  }

  private struct State {
    var nextID = 0
    var connections: [ConnectionID: ControlConnection] = [:]
    /// No peer is admitted any more.
    var isOver = false
    /// No peer can come any more; the ones that are here are answered to the end.
    var isRetired = false
    var hasStopped = false
    /// Stops of which it is being decided whether they may be requested.
    var stops: [ConnectionID: StopRequest] = [:]
  }

  let loop: PollLoop
  private let program: String
  private let surroundings: Surroundings
  private let driver: MachineDriver<ControlStateMachine>
  private let timers: TimerTable<ConnectionID>
  private let state = Mutex(State())
  private let limits: ControlLimits

  /// - Throws: When there is no thread or no descriptor to be had.
  init(
    program: String, limits: ControlLimits = ControlLimits(), _ surroundings: Surroundings
  ) throws(SystemError) {
    loop = try PollLoop(name: "control")
    self.program = program
    self.surroundings = surroundings
    self.limits = limits
    timers = TimerTable(loop: loop)
    var abilities: ControlStateMachine.Abilities = surroundings.snapshot == nil ? [] : .show
    if surroundings.restart != nil { abilities.insert(.restart) }
    driver = MachineDriver(ControlStateMachine(abilities, limits: limits))
  }

  deinit { loop.stop() }

  /// Speaks with a peer; from any thread.
  func admit(_ connection: ControlConnection) {
    // The loop may have ended: then the connection is let go of, and so closed.
    loop.execute { [self] in
      let id: ConnectionID? = state.withLock { state in
        guard !state.isOver else { return nil }
        state.nextID += 1
        let id = ConnectionID(state.nextID)
        state.connections[id] = connection
        return id
      }
      guard let id else { return }
      // The preamble goes first, and then what the machine says.
      connection.greet(on: loop, as: program) { [weak self] event in self?.happened(id, event) }
      receive(.connected(id))
      connection.read()
    }
  }

  /// What became of a handover.
  func happened(_ event: HandoverEvent) {
    switch event.detail {
    case .tookOver(let process): tell(.restarted(process: UInt32(bitPattern: process)))
    case .restartFailed(let reason): tell(.restartFailed(reason))
    case .successorFailed(let process, let reason), .successorGivenUp(let process, let reason):
      tell(.restartFailed("the successor, process \(process), failed: \(reason)"))
    case .offering, .committing, .successorKilled, .successorEnded, .restartJoined, .peerRefused, .waiting, .owning,
      .unclaimed, .predecessorEnded, .socketMadeAnew, .socketLost, .ignored:
      break
    }
  }

  /// Answers the peers that wait for the end, and returns when they have been sent it, or after a while.
  ///
  /// On a thread that it may block.
  func finish(_ report: LifecycleReport) {
    // Its thread has ended, or is about to: then there is no peer to be told.
    guard !state.withLock({ $0.isOver || $0.hasStopped }) else { return }
    let sent = Latch<Void>()
    loop.execute { [self] in
      receive(.finished(StopAnswer(report)))
      lookWhetherSent(sent)
    }
    _ = sent.wait(atMost: .milliseconds(300))
  }

  private func lookWhetherSent(_ sent: Latch<Void>) {
    let connections = state.withLock { Array($0.connections.values) }
    guard connections.contains(where: \.hasUnsent) else {
      sent.set()
      return
    }
    _ = loop.schedule(at: .now + .milliseconds(2)) { [weak self] in self?.lookWhetherSent(sent) }
  }

  /// Admits no peer any more, lets the ones that are here read what was said, and ends the thread.
  func close() {
    state.withLock { $0.isOver = true }
    loop.execute { [self] in
      _ = loop.schedule(at: .now + limits.leave + .seconds(1)) { [self] in stop() }
      stopWhenAlone()
    }
  }

  /// Ends the thread when the peers that are here have gone.
  func retire() {
    // After the peers that were given to it before.
    loop.execute { [self] in
      state.withLock { $0.isRetired = true }
      stopWhenAlone()
    }
  }

  /// A stop that a peer has requested is not taken back when the peer goes: its decision is waited for.
  private func stopWhenAlone() {
    if state.withLock({ ($0.isOver || $0.isRetired) && $0.connections.isEmpty && $0.stops.isEmpty }) { stop() }
  }

  private func stop() {
    timers.disarmAll()
    let connections = state.withLock { state in
      state.hasStopped = true
      defer { state.connections = [:] }
      return state.connections.values
    }
    for connection in connections { connection.close() }
    loop.stop()
  }

  // MARK: Events

  private func tell(_ event: ControlStateMachine.Event) {
    loop.execute { [weak self] in self?.receive(event) }
  }

  private func receive(_ event: ControlStateMachine.Event) {
    driver.receive(event) { perform($0) }
  }

  private func happened(_ id: ConnectionID, _ event: ControlConnection.Event) {
    switch event {
    case .closed: receive(.closed(id))
    case .malformed(let reason): receive(.malformed(id, .malformed, reason))
    case .frame(let frame):
      do throws(ControlFrameError) {
        receive(.request(id, try ControlRequest(type: frame.type, payload: frame.payload)))
      } catch {
        switch error {
        case .unknown(let type):
          receive(.malformed(id, .unknownRequest, "a request of type \(type), which is not known here"))
        case .malformed(let type):
          receive(.malformed(id, .malformed, "a request of type \(type) whose content is not what that type has"))
        }
      }
    }
  }

  // MARK: Performing actions

  private func perform(_ action: ControlStateMachine.Action) {
    switch action {
    case .greet(let id):
      let process = UInt32(bitPattern: ThisProcess.number)
      send(id, .serving(process: process, generation: surroundings.generation()))
    case .send(let id, let answer): send(id, answer)
    case .sendSnapshot(let id): sendDocument(id, surroundings.snapshot)
    case .offerSnapshot(let id):
      // A peer that has not read the one before gets no other: what is kept for a peer is bounded.
      if connection(id)?.hasUnsent == false { sendDocument(id, surroundings.snapshot) }
    case .sendPlan(let id): sendDocument(id, surroundings.plan)
    case .requestPermission(let id, let stop): requestPermission(id, stop)
    case .requestStop(let id):
      if let request = state.withLock({ $0.stops.removeValue(forKey: id) }) { surroundings.ask(request) }
      stopWhenAlone()
    case .restart: surroundings.restart?()
    case .arm(let id, let instant):
      timers.arm(id, at: instant) { [weak self] in self?.receive(.deadline(id)) }
    case .disarm(let id): timers.disarm(id)
    case .close(let id):
      state.withLock { $0.connections.removeValue(forKey: id) }?.close()
      stopWhenAlone()
    // Of no interest: peers come and go.
    case .ignored: break
    }
  }

  private func requestPermission(_ id: ConnectionID, _ stop: ControlRequest.Stop) {
    let peer = connection(id)?.peer
    let who = peer.map { $0.process > 0 ? "process \($0.process) of user \($0.user)" : "user \($0.user)" } ?? ""
    let said = StopQuery.line(of: stop.why)
    let why = said.isEmpty ? who : "\(said) (\(who))"
    let request = StopRequest(source: .control, why: why, urgency: stop.now ? .cancelNow : .drain)
    state.withLock { $0.stops[id] = request }
    surroundings.requestPermission { [self] reason in
      if reason != nil { state.withLock { $0.stops[id] = nil } }
      tell(.decided(id, reason.map { .refused($0) } ?? .permitted(StopAnswer(state: .accepted))))
      if reason != nil { loop.execute { [weak self] in self?.stopWhenAlone() } }
    }
  }

  private func sendDocument(_ id: ConnectionID, _ document: (() -> String)?) {
    guard let connection = connection(id), let document else { return }
    for answer in ControlAnswer.document(document()) { connection.send(Frame(answer)) }
  }

  private func send(_ id: ConnectionID, _ answer: ControlAnswer) { connection(id)?.send(Frame(answer)) }

  private func connection(_ id: ConnectionID) -> ControlConnection? { state.withLock { $0.connections[id] } }
}

extension ControlStateMachine: DrivenMachine {}

extension Frame {
  package init(_ answer: ControlAnswer) {
    let (type, payload) = answer.frame
    self.init(type: type, payload: payload)
  }

  package init(_ request: ControlRequest) {
    let (type, payload) = request.frame
    self.init(type: type, payload: payload)
  }
}
