internal import GracefulDescriptors
internal import Synchronization

/// The path of the handover socket: made anew when it has gone, and removed by the process that made it, once.
///
/// On the loop's thread.
extension Handover {
  /// Looks after the path from now on.
  func watchPath() {
    let watch = PathWatch(claim.path, on: loop) { [weak self] in self?.mendPath() ?? .inPlace }
    state.withLock { $0.pathWatch = watch }
    watch.look()
  }

  /// Removes the path if it is still this process's; from then on it is not.
  func removePath() { if let bound = keepPath() { claim.remove(bound) } }

  /// The path is not this process's any more: it is the successor's, or has been removed.
  ///
  /// What comes to be there from now on is never touched, whatever number the file system gives it.
  @discardableResult
  func keepPath() -> BoundPath? {
    let (bound, watch) = state.withLock { state in
      defer { (state.bound, state.pathWatch) = (nil, nil) }
      return (state.bound, state.pathWatch)
    }
    watch?.close()
    return bound
  }

  /// A process that has a copy of the socket has ended its listening (shutdown(2)), for every process.
  func socketIsLost() {
    let watch = state.withLock { state in
      state.socketIsLost = true
      return state.pathWatch
    }
    watch?.look()
  }

  private func mendPath() -> PathWatch.Outcome {
    let (bound, isLost) = state.withLock { ($0.bound, $0.socketIsLost) }
    guard let bound, let driver else { return .inPlace }
    switch claim.isInPlace(bound) {
    case true? where !isLost:
      state.withLock { $0.pathTrouble = nil }
      return .inPlace
    case nil: return .impossible
    // The socket is on its way to a successor without its path: first it is seen which process will have it.
    case true?, false?: return driver.isHandingOver ? .impossible : makeAnew(driver)
    }
  }

  private func makeAnew(_ driver: PredecessorDriver) -> PathWatch.Outcome {
    let path = claim.path.path
    do throws(HandoverError) {
      switch try claim.attempt() {
      case .bound(let listener, let bound):
        adopt(listener, bound, driver)
        configuration.onEvent(.socketMadeAnew("\(path) had gone, or was ended by another process"))
        return .madeAnew
      case .connected(let socket):
        // Another handover of this same process.
        if case .success(let peer) = configuration.calls.peer(socket.number), peer.process == ThisProcess.number {
          return .impossible
        }
        tellTrouble("another process answers at \(path) by now")
        return .impossible
      case .later: return .later
      }
    } catch {
      tellTrouble("\(error)")
      return .impossible
    }
  }

  private func adopt(_ listener: SharedDescriptor, _ bound: BoundPath, _ driver: PredecessorDriver) {
    let label = DescriptorLabel(name: Self.socketName, metadata: bound.metadata)
    state.withLock { state in
      state.socket = listener
      state.bound = bound
      state.socketIsLost = false
      state.pathTrouble = nil
      // Once this process has left, there is nothing to be offered.
      guard state.offered.contains(where: { $0.label.name == Self.socketName }) else { return }
      state.offered.removeAll { $0.label.name == Self.socketName }
      state.offered.append(NamedDescriptor(label: label, descriptor: listener))
    }
    driver.replaceListener(listener)
  }

  private func tellTrouble(_ trouble: String) {
    let isNew = state.withLock { state in
      defer { state.pathTrouble = trouble }
      return state.pathTrouble != trouble
    }
    if isNew { configuration.onEvent(.socketLost(trouble)) }
  }
}
