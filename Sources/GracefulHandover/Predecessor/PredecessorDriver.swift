internal import GracefulDescriptors
internal import Synchronization
internal import SystemPackage

/// Performs what the predecessor's machine decides: listens on the handover socket, and speaks with those who come.
///
/// On the poll loop's thread.
final class PredecessorDriver: Sendable {
  typealias ConnectionID = PredecessorStateMachine.ConnectionID

  /// What the driver cannot do itself.
  struct Surroundings: Sendable {
    /// Accept nothing more on the program's own listeners, then call back, on any thread.
    var pause: @Sendable (_ done: @escaping @Sendable () -> Void) -> Void
    var resume: @Sendable () -> Void
    /// Starts a successor; `exited` is called when it has ended.
    var spawn: @Sendable (_ exited: @escaping @Sendable (Int32, String) -> Void) -> Result<Int32, SystemError>
    var killChild: @Sendable (Int32) -> Void
    /// Everything was released: let go of what was offered.
    var released: @Sendable () -> Void
    /// Removes the socket's path.
    var removePath: @Sendable () -> Void = {}
    /// Speaks with one who wants control; `nil` when nobody does.
    var control: (@Sendable (ControlConnection) -> Void)?
    var notify: @Sendable (HandoverEvent) -> Void
  }

  private struct State {
    var listener: SharedDescriptor?
    var watch: PollLoop.WatchID?
    var nextID = 0
    var connections: [ConnectionID: FrameConnection] = [:]
    var greeted: Set<ConnectionID> = []
  }

  private let loop: PollLoop
  private let calls: SocketCalls
  private let program: String
  private let generation: UInt32
  private let offered: @Sendable () -> [NamedDescriptor]
  private let surroundings: Surroundings
  private let driver: MachineDriver<PredecessorStateMachine>
  private let timers: TimerTable<PredecessorStateMachine.Timer>
  private let state: Mutex<State>

  init(
    listener: SharedDescriptor, loop: PollLoop, calls: SocketCalls, limits: HandoverLimits, program: String,
    generation: UInt32, takesOver: Bool = true, offered: @escaping @Sendable () -> [NamedDescriptor],
    surroundings: Surroundings
  ) {
    self.loop = loop
    self.calls = calls
    self.program = program
    self.generation = generation
    self.offered = offered
    self.surroundings = surroundings
    var services: PredecessorStateMachine.Services = takesOver ? .handover : []
    if surroundings.control != nil { services.insert(.control) }
    driver = MachineDriver(PredecessorStateMachine(limits: limits, services: services))
    timers = TimerTable(loop: loop)
    state = Mutex(State(listener: listener))
  }

  deinit {
    // Whoever lets go of this without closing it must not leave the loop with a number that is closed.
    if let watch = state.withLock({ $0.watch }) { loop.unwatch(watch) }
  }

  /// Begins to accept on the handover socket.
  func start() {
    state.withLock { state in
      guard let listener = state.listener, state.watch == nil else { return }
      state.watch = loop.watch(listener.number, .readable) { [weak self] _ in self?.accept() }
    }
  }

  func receive(_ event: PredecessorStateMachine.Event) {
    driver.receive(event) { perform($0) }
  }

  var isHandingOver: Bool { driver.ask(\.isHandingOver) }

  /// Lets go of the socket and of everybody who is connected.
  func close() {
    closeListener()
    timers.disarmAll()
    let connections = state.withLock { state in
      defer { state.connections = [:] }
      return state.connections.values
    }
    for connection in connections { connection.close() }
  }

  // MARK: Those who come

  private func accept() {
    while let listener = state.withLock({ $0.listener }) {
      let number = calls.accept(listener.number)
      guard number >= 0 else { return acceptFailed(Errno(rawValue: -number)) }
      admit(SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: number))))
    }
  }

  private func acceptFailed(_ errno: Errno) {
    if errno == .wouldBlock || errno == .resourceTemporarilyUnavailable || errno == .connectionAbort { return }
    // Out of descriptors, mostly. The socket stays readable, and the loop would spin on it: look again in a moment.
    state.withLock { state in
      if let watch = state.watch { loop.unwatch(watch) }
      state.watch = nil
    }
    surroundings.notify(.peerRefused(process: 0, reason: "accept on the handover socket failed: \(errno)"))
    _ = loop.schedule(at: .now + .milliseconds(100)) { [weak self] in self?.start() }
  }

  private func admit(_ socket: SharedDescriptor) {
    let peer: Peer
    switch calls.peer(socket.number) {
    case .success(let found): peer = found
    case .failure(let error):
      return surroundings.notify(.peerRefused(process: 0, reason: "its credentials are not known: \(error)"))
    }
    let id = state.withLock { state in
      state.nextID += 1
      return ConnectionID(state.nextID)
    }
    let connection = FrameConnection(socket, peer: peer, loop: loop, calls: calls) { [weak self] in
      self?.happened(id, $0)
    }
    state.withLock { $0.connections[id] = connection }
    guard peer.user == ThisProcess.user || peer.user == 0 else {
      let reason = "user \(peer.user) may not do this, only user \(ThisProcess.user) and root"
      send(id, .refused(.notAllowed, reason))
      forget(id)
      return surroundings.notify(.peerRefused(process: peer.process, reason: reason))
    }
    receive(.connected(id, process: peer.process))
    connection.start()
    connection.watchProcess()
  }

  private func happened(_ id: ConnectionID, _ event: FrameConnection.Event) {
    switch event {
    case .preamble(let preamble): receive(.preamble(id, preamble))
    case .malformed(let reason): receive(.malformed(id, reason))
    case .closed, .peerDied: receive(.closed(id))
    case .frame(let frame, let descriptors):
      switch frame.message() {
      case .message(_) where !descriptors.isEmpty: receive(.malformed(id, "descriptors, which nobody asked for"))
      case .message(let message): receive(.message(id, message))
      case .unknownType(let type): receive(.unknownFrame(id, type: type))
      case nil: receive(.malformed(id, "a frame of type \(frame.type) whose content is not what that type has"))
      }
    }
  }

  // MARK: Deeds

  private func perform(_ action: PredecessorStateMachine.Action) {
    switch action {
    case .send(let id, let message): send(id, message)
    case .offer(let id): offer(to: id)
    case .giveAway(let id, let program): giveAway(id, program)
    case .close(let id): forget(id)
    case .kill(let id):
      if let connection = connection(id), !connection.kill() {
        surroundings.notify(.ignored("process \(connection.peer.process) cannot be killed; end it by hand"))
      }
    case .killChild(let process): surroundings.killChild(process)
    case .arm(let timer, let instant):
      timers.arm(timer, at: instant) { [weak self] in self?.receive(.deadline(timer)) }
    case .disarm(let timer): timers.disarm(timer)
    case .pauseAccepting(let number):
      surroundings.pause { [weak self, loop] in
        loop.execute { [weak self] in self?.receive(.acceptingPaused(number)) }
      }
    case .resumeAccepting: surroundings.resume()
    case .closeListener:
      closeListener()
      surroundings.released()
    case .giveUpSocket:
      surroundings.removePath()
      closeListener()
      surroundings.released()
    case .spawn: spawn()
    case .notify(let notice): surroundings.notify(notice)
    case .ignored(let reason): surroundings.notify(.ignored(reason))
    }
  }

  private func spawn() {
    let spawned = surroundings.spawn { [weak self, loop] process, how in
      loop.execute { [weak self] in self?.receive(.childExited(process: process, how)) }
    }
    switch spawned {
    case .success(let process): receive(.spawned(process: process))
    case .failure(let error): receive(.spawnFailed("\(error)"))
    }
  }

  private func offer(to id: ConnectionID) {
    let all = offered()
    send(
      id,
      .welcome(
        process: UInt32(bitPattern: ThisProcess.number), generation: generation, descriptors: UInt32(all.count)))
    for part in all.parts() { send(id, .descriptors(part.map(\.label)), part.map(\.descriptor)) }
    send(id, .offered)
  }

  private func send(_ id: ConnectionID, _ message: Message, _ descriptors: [SharedDescriptor] = []) {
    guard let connection = connection(id) else { return }
    if state.withLock({ $0.greeted.insert(id).inserted }) {
      connection.send(Preamble(purpose: .handover, program: program).encoded)
    }
    connection.send(message, descriptors)
  }

  private func connection(_ id: ConnectionID) -> FrameConnection? {
    state.withLock { $0.connections[id] }
  }

  private func forget(_ id: ConnectionID) {
    let connection = state.withLock { state in
      state.greeted.remove(id)
      return state.connections.removeValue(forKey: id)
    }
    connection?.close()
  }

  private func giveAway(_ id: ConnectionID, _ program: String) {
    let connection = state.withLock { state in
      state.greeted.remove(id)
      return state.connections.removeValue(forKey: id)
    }
    guard let given = connection?.detach() else { return }
    surroundings.control?(ControlConnection(given, program: program))
  }

  private func closeListener() {
    let listener = state.withLock { state in
      if let watch = state.watch { loop.unwatch(watch) }
      state.watch = nil
      defer { state.listener = nil }
      return state.listener
    }
    loop.execute { _ = listener }
  }
}

extension [NamedDescriptor] {
  /// In pieces that fit into one frame and one message each.
  fileprivate func parts() -> [ArraySlice<Element>] {
    var parts: [ArraySlice<Element>] = []
    var start = startIndex
    var size = 0
    for index in indices {
      let cost = 4 + self[index].label.name.utf8.count + self[index].label.metadata.count
      // 252, not 253: musl's limit is one lower.
      if index - start == 252 || size + cost > Frame.payloadLimit - 2 {
        parts.append(self[start..<index])
        start = index
        size = 0
      }
      size += cost
    }
    if start < endIndex { parts.append(self[start...]) }
    return parts
  }
}
