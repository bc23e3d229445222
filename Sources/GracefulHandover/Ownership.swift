internal import GracefulDescriptors
internal import GracefulProcesses
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

  func offer(_ descriptor: SharedDescriptor, as label: DescriptorLabel) {
    state.withLock { state in
      state.offered.removeAll { $0.label.name == label.name }
      state.offered.append(NamedDescriptor(label: label, descriptor: descriptor))
    }
  }

  /// Answers those who come to the handover socket: from the first moment, even if only with "not ready myself yet".
  func listen() {
    // Again, where it was inherited: those who connect are told by the system who called listen(2) last, and that shall
    // be this process.
    _ = configuration.calls.listen(listener.number, SocketClaim.backlog)
    let driver = PredecessorDriver(
      listener: listener, loop: loop, calls: configuration.calls, limits: configuration.limits,
      program: configuration.program, generation: UInt32(generation),
      offered: { [weak self] in self?.state.withLock { $0.offered } ?? [] }, surroundings: surroundings)
    state.withLock { $0.driver = driver }
    loop.execute { driver.start() }
  }

  func prepared(_ continuation: CheckedContinuation<Result<Void, HandoverError>, Never>) {
    switch role {
    case .first:
      begin(predecessorDied: false)
      continuation.resume(returning: .success(()))
    case .successor(let dialogue):
      let failure = state.withLock { state in
        if state.failure == nil { state.owning = continuation }
        return state.failure
      }
      if let failure { return continuation.resume(returning: .failure(failure)) }
      dialogue.receive(.prepared)
    }
  }

  func happened(_ event: Joining.Later) {
    switch event {
    case .own(let proof):
      listen()
      begin(predecessorDied: proof == .predecessorDied)
      takeOwning()?.resume(returning: .success(()))
    case .failed(let failure):
      let error = HandoverError(failure, socket: claim.path.path)
      let waiting = state.withLock { state in
        state.failure = error
        state.inherited = []
        state.offered = []
        defer { state.whenFailed = [] }
        return state.whenFailed
      }
      for waiter in waiting { waiter.resume() }
      takeOwning()?.resume(returning: .failure(error))
    case .notice(.predecessorEnded(let process)): configuration.onEvent(.predecessorEnded(process: process))
    }
  }

  func leaveNow() {
    if let driver {
      if driver.isHandingOver { return }
      claim.remove(bound)
      driver.close()
    }
    if case .successor(let dialogue) = role { dialogue.close() }
    state.withLock { state in
      state.driver = nil
      state.offered = []
      state.inherited = []
    }
    loop.stop()
  }

  private func begin(predecessorDied: Bool) {
    let unclaimed = state.withLock { state in
      state.isOwner = true
      defer { state.inherited = [] }
      return state.inherited.map(\.label.name)
    }
    configuration.onEvent(.owning(predecessorDied: predecessorDied))
    if !unclaimed.isEmpty { configuration.onEvent(.unclaimed(unclaimed)) }
    driver?.receive(.started)
  }

  private func takeOwning() -> CheckedContinuation<Result<Void, HandoverError>, Never>? {
    state.withLock { state in
      defer { state.owning = nil }
      return state.owning
    }
  }

  private var surroundings: PredecessorDriver.Surroundings {
    let onEvent = configuration.onEvent
    return PredecessorDriver.Surroundings(
      pause: { [weak self] done in
        guard let acceptor = self?.state.withLock({ $0.acceptor }) else { return done() }
        acceptor.pause(done)
      },
      resume: { [weak self] in self?.state.withLock { $0.acceptor }?.resume() },
      spawn: { [weak self] exited in self?.spawn(exited) ?? .success(0) },
      killChild: { [weak self] process in self?.state.withLock { $0.children[process] }?.signal(9) },
      released: { [weak self] in self?.state.withLock { $0.offered = [] } },
      notify: { [weak self] notice in
        onEvent(HandoverEvent(notice))
        if case .released(let process) = notice { self?.takenOver(by: process) }
      },
      ignored: { onEvent(.ignored($0)) })
  }

  private func takenOver(by process: Int32) {
    let bodies = state.withLock { state in
      state.takenOverBy = process
      defer { state.whenTakenOver = [] }
      return state.whenTakenOver
    }
    for body in bodies { body(process) }
  }

  private func spawn(_ exited: @escaping @Sendable (Int32, String) -> Void) -> Result<Int32, SystemError> {
    do throws(SystemError) {
      let child = try ChildProcess.spawn(successor, on: loop)
      let process = child.id.rawValue
      state.withLock { $0.children[process] = child }
      child.whenEnded { [weak self] status in
        self?.state.withLock { _ = $0.children.removeValue(forKey: process) }
        exited(process, "\(status)")
      }
      return .success(process)
    } catch {
      return .failure(error)
    }
  }
}
