internal import GracefulDescriptors
internal import GracefulSystem
internal import Synchronization
internal import SystemPackage

/// The listening end of a handover socket or of a socket for control alone.
///
/// It accepts, checks the credentials of each peer (this user and root, no other), and takes peers from their preamble
/// to what they want, as the machine decides: a limit of silence, a limit of connections, a version, a purpose. A peer that
/// wants control is given away; what a successor says goes to the machine. Decisions that concern no peer are the
/// owner's to perform.
///
/// On the poll loop's thread.
final class PeerListener: Sendable {
  typealias Machine = PredecessorStateMachine
  typealias ConnectionID = Machine.ConnectionID

  private static let acceptedATurn = 16

  private struct State {
    var listener: SharedDescriptor?
    var watch: PollLoop.WatchID?
    var nextID = 0
    var connections: [ConnectionID: FrameConnection] = [:]
    /// The peers that were sent our preamble.
    var greeted: Set<ConnectionID> = []
  }

  private let loop: PollLoop
  private let calls: SocketCalls
  private let program: String
  private let control: (@Sendable (ControlConnection) -> Void)?
  private let lost: @Sendable () -> Void
  private let driver: MachineDriver<Machine>
  private let timers: TimerTable<Machine.Timer>
  private let state: Mutex<State>
  private let perform = Mutex<@Sendable (Machine.Action) -> Void>({ _ in })

  /// - Parameters:
  ///   - program: The name by which this process answers.
  ///   - takesOver: Whether a successor may come here.
  ///   - control: Speaks with a peer that wants control; `nil` when no such peer is answered.
  ///   - lost: Told, again and again, that the socket does not listen any more, though it is open.
  init(
    _ listener: SharedDescriptor, loop: PollLoop, calls: SocketCalls, limits: HandoverLimits, program: String,
    takesOver: Bool, control: (@Sendable (ControlConnection) -> Void)?, lost: @escaping @Sendable () -> Void
  ) {
    self.loop = loop
    self.lost = lost
    self.calls = calls
    self.program = program
    self.control = control
    var services: Machine.Services = takesOver ? .handover : []
    if control != nil { services.insert(.control) }
    driver = MachineDriver(Machine(limits: limits, services: services))
    timers = TimerTable(loop: loop)
    state = Mutex(State(listener: listener))
  }

  deinit {
    // An owner that lets go of this without closing it must not leave the loop with a number that is closed.
    if let watch = state.withLock({ $0.watch }) { loop.unwatch(watch) }
  }

  /// Has the decisions performed that concern no peer; before anything else.
  func attach(_ perform: @escaping @Sendable (Machine.Action) -> Void) { self.perform.withLock { $0 = perform } }

  /// Begins to accept.
  func start() {
    state.withLock { state in
      guard let listener = state.listener, state.watch == nil else { return }
      state.watch = loop.watch(listener.number, .readable) { [weak self] in self?.ready($0) }
    }
  }

  private func ready(_ readiness: PollLoop.Readiness) {
    // The hang-up of a listener is its end; poll(2) reports it for ever.
    if !readiness.isDisjoint(with: [.hangup, .error]) {
      pauseAccepting()
      return lost()
    }
    accept()
  }

  /// Goes on with another socket; the peers that wait at the one before are taken first.
  func replaceListener(_ listener: SharedDescriptor) {
    for _ in 0..<Int(SocketClaim.backlog) / Self.acceptedATurn { accept() }
    closeListener()
    state.withLock { $0.listener = listener }
    start()
  }

  func receive(_ event: Machine.Event) {
    driver.receive(event) { act($0) }
  }

  var isHandingOver: Bool { driver.ask(\.isHandingOver) }

  /// Lets go of the socket and of every peer.
  func close() {
    closeListener()
    timers.disarmAll()
    let connections = state.withLock { state in
      defer { state.connections = [:] }
      return state.connections.values
    }
    for connection in connections { connection.close() }
  }

  func closeListener() {
    let listener = state.withLock { state in
      if let watch = state.watch { loop.unwatch(watch) }
      state.watch = nil
      defer { state.listener = nil }
      return state.listener
    }
    loop.execute { _ = listener }
  }

  /// Sends a message, after our preamble if it is the first.
  func send(_ id: ConnectionID, _ message: Message, _ descriptors: [SharedDescriptor] = []) {
    guard let connection = connection(id) else { return }
    if state.withLock({ $0.greeted.insert(id).inserted }) {
      connection.send(Preamble(purpose: .handover, program: program).encoded)
    }
    connection.send(message, descriptors)
  }

  // MARK: Accepting

  /// As many as are known to wait, and not without end: others that wait for this thread have their turn.
  private func accept() {
    hearThoseThatAreHere()
    for _ in 0..<Self.acceptedATurn {
      guard let listener = state.withLock({ $0.listener }), ListenQueue.hasWaiting(listener.number) else { return }
      // Another process that has the socket may have made it blocking since the last time.
      _ = calls.keepNonblocking(listener.number)
      var number = calls.accept(listener.number)
      if [.tooManyOpenFiles, .tooManyOpenFilesInSystem].contains(Errno(rawValue: -number)) {
        // Its own, and one for what stands for its process.
        DescriptorReserve.shared.lend(2, until: loop)
        number = calls.accept(listener.number)
      }
      guard number >= 0 else { return acceptFailed(Errno(rawValue: -number)) }
      admit(SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: number))))
    }
  }

  /// A peer that has said something is not silent, though it was not heard yet: it does not go to make room.
  private func hearThoseThatAreHere() {
    let connections = state.withLock { $0.connections }
    guard connections.count >= Machine.connectionLimit else { return }
    for connection in connections.sorted(by: { $0.key.number < $1.key.number }) { connection.value.read(rounds: 1) }
  }

  private func acceptFailed(_ errno: Errno) {
    if errno == .wouldBlock || errno == .resourceTemporarilyUnavailable || errno == .connectionAbort { return }
    // Out of descriptors, mostly. The socket stays readable, and the loop would spin on it: look again in a moment.
    pauseAccepting()
    // accept(2): it is not listening.
    if errno == .invalidArgument { return lost() }
    refused(process: 0, "accept on the handover socket failed: \(errno)")
  }

  private func pauseAccepting() {
    state.withLock { state in
      if let watch = state.watch { loop.unwatch(watch) }
      state.watch = nil
    }
    _ = loop.schedule(at: .now + .milliseconds(100)) { [weak self] in self?.start() }
  }

  private func admit(_ socket: SharedDescriptor) {
    let peer: Peer
    switch calls.peer(socket.number) {
    case .success(let found): peer = found
    case .failure(let error): return refused(process: 0, "its credentials are not known: \(error)")
    }
    let id = state.withLock { state in
      state.nextID += 1
      return ConnectionID(state.nextID)
    }
    let connection = FrameConnection(
      socket, peer: peer, loop: loop, calls: calls, takesDescriptors: false
    ) { [weak self] in
      self?.happened(id, $0)
    }
    state.withLock { $0.connections[id] = connection }
    guard peer.user == ThisProcess.user || peer.user == 0 else {
      let reason = "user \(peer.user) may not do this, only user \(ThisProcess.user) and root"
      send(id, .refused(.notAllowed, reason))
      forget(id)
      return refused(process: peer.process, reason)
    }
    receive(.connected(id, process: peer.process))
    connection.start()
    connection.watchProcess()
    // Most say at once what they want, and need no turn of their own.
    connection.read(rounds: 1)
  }

  private func happened(_ id: ConnectionID, _ event: FrameConnection.Event) {
    switch event {
    case .preamble(let preamble): receive(.preamble(id, preamble))
    case .malformed(let reason): receive(.malformed(id, reason))
    case .closed, .peerDied: receive(.closed(id))
    case .frame(let frame, let descriptors):
      switch frame.message() {
      case .message(_) where !descriptors.isEmpty: receive(.malformed(id, FrameConnection.unasked))
      case .message(let message): receive(.message(id, message))
      case .unknownType(let type): receive(.unknownFrame(id, type: type))
      case nil: receive(.malformed(id, "a frame of type \(frame.type) whose content is not what that type has"))
      }
    }
  }

  // MARK: What concerns a peer

  private func act(_ action: Machine.Action) {
    switch action {
    case .send(let id, let message): send(id, message)
    case .giveAway(let id, let program): giveAway(id, program)
    case .close(let id): forget(id)
    case .kill(let id): kill(id)
    case .arm(let timer, let instant):
      timers.arm(timer, at: instant) { [weak self] in self?.receive(.deadline(timer)) }
    case .disarm(let timer): timers.disarm(timer)
    case .offer, .killChild, .pauseAccepting, .resumeAccepting, .closeListener, .giveUpSocket, .spawn, .notify,
      .ignored:
      perform.withLock { $0 }(action)
    }
  }

  private func kill(_ id: ConnectionID) {
    guard let connection = connection(id), !connection.kill() else { return }
    let reason = "process \(connection.peer.process) cannot be killed; end it by hand"
    perform.withLock { $0 }(.ignored(reason))
  }

  private func refused(process: Int32, _ reason: String) {
    perform.withLock { $0 }(.notify(.peerRefused(process: process, reason: reason)))
  }

  private func connection(_ id: ConnectionID) -> FrameConnection? {
    state.withLock { $0.connections[id] }
  }

  private func take(_ id: ConnectionID) -> FrameConnection? {
    state.withLock { state in
      state.greeted.remove(id)
      return state.connections.removeValue(forKey: id)
    }
  }

  private func forget(_ id: ConnectionID) { take(id)?.close() }

  private func giveAway(_ id: ConnectionID, _ program: String) {
    guard let given = take(id)?.detach() else { return }
    control?(ControlConnection(given, program: program))
  }
}
