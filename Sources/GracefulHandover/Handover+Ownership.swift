package import GracefulDescriptors
internal import GracefulSystem
internal import Synchronization

/// What happens between *ready* and the end. On the loop's thread, but for `take` and `offer`.
extension Handover {
  var driver: PredecessorDriver? { state.withLock { $0.driver } }

  func take(_ name: String) -> SharedDescriptor? {
    state.withLock { state in
      guard let index = state.inherited.firstIndex(where: { $0.label.name == name }) else { return nil }
      return state.inherited.remove(at: index).descriptor
    }
  }

  /// Has something else accept and pause as this process does; before it says that it is ready.
  package func accompany(_ acceptor: Acceptor) { state.withLock { $0.companions.append(acceptor) } }

  /// What the predecessor has left under this name, once: from the offer to the moment from which this process serves.
  package func inherit(_ name: String) -> (descriptor: SharedDescriptor, metadata: [UInt8])? {
    state.withLock { state in
      guard let index = state.inherited.firstIndex(where: { $0.label.name == name }) else { return nil }
      let inherited = state.inherited.remove(at: index)
      return (inherited.descriptor, inherited.label.metadata)
    }
  }

  /// Offers it to the next successor, in place of what had its name; not once this process has left.
  package func offer(_ descriptor: SharedDescriptor, named name: String, metadata: [UInt8]) {
    if state.withLock({ $0.hasLeft || $0.takenOverBy != nil }) { return }
    offer(descriptor, as: DescriptorLabel(name: name, metadata: metadata))
  }

  func offer(_ descriptor: SharedDescriptor, as label: DescriptorLabel) {
    let address = listening(descriptor)
    state.withLock { state in
      state.listening[label.name] = address
      state.offered.removeAll { $0.label.name == label.name }
      state.offered.append(NamedDescriptor(label: label, descriptor: descriptor))
    }
  }

  /// Answers the peers that come to the handover socket: from the first moment, even if only with "not ready myself yet".
  func listen() {
    guard let listener = state.withLock({ $0.socket }) else { return }
    // Again, where it was inherited: peers that connect are told by the system which process called listen(2) last, and that shall
    // be this process.
    _ = configuration.calls.listen(listener.number, SocketClaim.backlog)
    let driver = PredecessorDriver(
      listener: listener, loop: loop, calls: configuration.calls, limits: configuration.limits,
      program: configuration.program, generation: UInt32(clamping: generation),
      offered: { [weak self] in self?.state.withLock { $0.offered } ?? [] }, surroundings: surroundings)
    state.withLock { $0.driver = driver }
    loop.execute {
      driver.start()
      self.watchPath()
    }
  }

  func prepared() {
    switch role {
    case .first:
      begin(predecessorDied: false)
      answerOwning(.success(()))
    case .successor(let dialogue): dialogue.receive(.prepared)
    }
  }

  var hasLeftError: HandoverError {
    HandoverError(.withdrawn, socket: configuration.socket, reason: "this process has left the handover")
  }

  func happened(_ event: HandoverJoin.Later) {
    switch event {
    case .own(let proof):
      listen()
      begin(predecessorDied: proof == .predecessorDied)
      answerOwning(.success(()))
    case .failed(let failure):
      let error = HandoverError(failure, socket: claim.path.path)
      let waiting = state.withLock { state in
        state.failure = error
        state.inherited = []
        state.offered = []
        state.socket = nil
        state.bound = nil
        defer { state.whenFailed = [] }
        return state.whenFailed
      }
      for waiter in waiting { waiter.resume() }
      answerOwning(.failure(error))
    case .notice(.predecessorEnded(let process)):
      state.withLock { $0.predecessorHasEnded = true }
      watchOver(.predecessorEnded(process: process))
      configuration.onEvent(.predecessorEnded(process: process))
    }
  }

  func leaveNow() {
    if let driver {
      if driver.isHandingOver { return }
      if configuration.control != nil { return stayForControl(driver) }
      removePath()
      driver.close()
    }
    end()
  }

  /// A command that wants to see or stop this process while it drains finds it here; a process that wants the socket gets it
  /// at once.
  private func stayForControl(_ driver: PredecessorDriver) {
    driver.receive(.left)
    state.withLock { state in
      // What was offered is closed here, but for the socket.
      state.offered = []
      state.inherited = []
    }
    answerOwning(.failure(hasLeftError))
  }

  /// Another process is the first at this path; the peer that has just been told so is still to hear it.
  private func giveUpSocket() {
    removePath()
    configuration.controlEnded()
    _ = loop.schedule(at: .now + configuration.limits.greeting) { [weak self] in self?.letGoNow() }
  }

  func letGoNow() {
    guard let driver, !driver.isHandingOver else { return }
    removePath()
    driver.close()
    end()
  }

  private func end() {
    if case .successor(let dialogue) = role { dialogue.close() }
    state.withLock { state in
      state.driver = nil
      state.offered = []
      state.inherited = []
      state.socket = nil
    }
    keepPath()
    answerOwning(.failure(hasLeftError))
    loop.stop()
  }

  private func begin(predecessorDied: Bool) {
    let unclaimed = state.withLock { state in
      state.isOwner = true
      if predecessorDied { state.predecessorHasEnded = true }
      defer { state.inherited = [] }
      return state.inherited.map(\.label.name)
    }
    watchOver(.owning(predecessorDied: predecessorDied))
    configuration.onEvent(.owning(predecessorDied: predecessorDied))
    if !unclaimed.isEmpty { configuration.onEvent(.unclaimed(unclaimed)) }
    // Before a successor may take over from here: a pause that comes next finds it begun, whatever the program does.
    for acceptor in acceptors { acceptor.accept() }
    driver?.receive(.started)
    // Asked while there was no driver to be told: between the acknowledgement and now.
    if state.withLock({ $0.isStopping }) { driver?.receive(.stopRequested) }
  }

  private func answerOwning(_ answer: Result<Void, HandoverError>) {
    let waiting = state.withLock { state in
      defer { state.owning = [] }
      return state.owning
    }
    for waiter in waiting { waiter.resume(returning: answer) }
  }

  private var surroundings: PredecessorDriver.Surroundings {
    let onEvent = configuration.onEvent
    return PredecessorDriver.Surroundings(
      pause: { [weak self] done in
        guard let self else { return done() }
        pauseCompanions {
          guard let acceptor = self.state.withLock({ $0.acceptor }) else { return done() }
          acceptor.pause(done)
        }
      },
      resume: { [weak self] in for acceptor in self?.acceptors ?? [] { acceptor.accept() } },
      spawn: { [weak self] exited in self?.spawn(exited) ?? .success(0) },
      killChild: { [weak self] process in _ = self?.state.withLock { $0.children[process] }?(9) },
      released: { [weak self] in
        self?.state.withLock { state in
          state.offered = []
          state.socket = nil
        }
        self?.keepPath()
      },
      removePath: { [weak self] in self?.giveUpSocket() },
      listenerLost: { [weak self] in self?.socketIsLost() }, control: configuration.control,
      notify: { [weak self] event in
        self?.watchOver(event)
        onEvent(event)
        if case .tookOver(let process) = event.detail { self?.takenOver(by: process) }
      })
  }

  private var acceptors: [Acceptor] { state.withLock { ($0.acceptor.map { [$0] } ?? []) + $0.companions } }

  /// A companion that does not pause in time holds up no handover: then both may accept for a moment.
  private func pauseCompanions(_ done: @escaping @Sendable () -> Void) {
    let companions = state.withLock { $0.companions }
    if companions.isEmpty { return done() }
    let paused = CountdownLatch(companions.count)
    paused.opened.whenSet(done)
    for companion in companions { companion.pause { paused.countDown() } }
    _ = loop.schedule(at: .now + .milliseconds(500)) { paused.opened.set() }
  }

  private func takenOver(by process: Int32) {
    let bodies = state.withLock { state in
      state.takenOverBy = process
      defer { state.whenTakenOver = [] }
      return state.whenTakenOver
    }
    for body in bodies { body(process) }
  }
}
