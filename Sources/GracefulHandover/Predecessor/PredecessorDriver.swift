internal import GracefulDescriptors
internal import GracefulSystem

/// Performs what the predecessor's machine decides: offers what this process has, stops to accept, starts a successor.
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
    var removePath: @Sendable () -> Void
    /// Told that the socket does not listen any more, though it is open: another process has ended that.
    var listenerLost: @Sendable () -> Void
    /// Speaks with a peer that wants control; `nil` when no such peer is answered.
    var control: (@Sendable (ControlConnection) -> Void)?
    var notify: @Sendable (HandoverEvent) -> Void
  }

  private let loop: PollLoop
  private let generation: UInt32
  private let offered: @Sendable () -> [NamedDescriptor]
  private let surroundings: Surroundings
  private let peers: PeerListener

  init(
    listener: SharedDescriptor, loop: PollLoop, calls: SocketCalls, limits: HandoverLimits, program: String,
    generation: UInt32, offered: @escaping @Sendable () -> [NamedDescriptor], surroundings: Surroundings
  ) {
    self.loop = loop
    self.generation = generation
    self.offered = offered
    self.surroundings = surroundings
    peers = PeerListener(
      listener, loop: loop, calls: calls, limits: limits, program: program, takesOver: true,
      control: surroundings.control, lost: surroundings.listenerLost)
    peers.attach { [weak self] in self?.perform($0) }
  }

  /// Begins to accept on the handover socket.
  func start() { peers.start() }

  func receive(_ event: PredecessorStateMachine.Event) { peers.receive(event) }

  var isHandingOver: Bool { peers.isHandingOver }

  /// Goes on with another socket; the peers that wait at the one before are taken first.
  func replaceListener(_ listener: SharedDescriptor) { peers.replaceListener(listener) }

  /// Lets go of the socket and of every peer.
  func close() { peers.close() }

  private func perform(_ action: PredecessorStateMachine.Action) {
    switch action {
    case .offer(let id): offer(to: id)
    case .killChild(let process): surroundings.killChild(process)
    case .pauseAccepting(let number):
      surroundings.pause { [weak self, loop] in
        loop.execute { [weak self] in self?.receive(.acceptingPaused(number)) }
      }
    case .resumeAccepting: surroundings.resume()
    case .closeListener:
      peers.closeListener()
      surroundings.released()
    case .giveUpSocket:
      surroundings.removePath()
      peers.closeListener()
      surroundings.released()
    case .spawn: spawn()
    case .notify(let notice): surroundings.notify(notice)
    case .ignored(let reason): surroundings.notify(.ignored(reason))
    // The listener's.
    case .send, .giveAway, .close, .kill, .arm, .disarm: break
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
    peers.send(
      id,
      .welcome(
        process: UInt32(bitPattern: ThisProcess.number), generation: generation, descriptors: UInt32(all.count)))
    for part in all.parts() { peers.send(id, .descriptors(part.map(\.label)), part.map(\.descriptor)) }
    peers.send(id, .offered)
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
