package import GracefulDescriptors
internal import Synchronization

/// A socket for control requests alone, by the rules of the handover's: mode 0600, in a directory of our own, a stale
/// path is replaced, a live one never (H5).
package final class ControlSocket: Sendable {
  private struct Open {
    var bound: BoundPath
    /// No longer than until it is closed: it would let peers wait for an answer that never comes.
    var listener: SharedDescriptor
    var isLost = false
  }

  private let claim: SocketClaim
  private let loop: PollLoop
  private let open: Mutex<Open?>
  private let peers = Mutex<PeerListener?>(nil)
  private let watch = Mutex<PathWatch?>(nil)

  private init(claim: SocketClaim, _ open: Open, loop: PollLoop) {
    self.claim = claim
    self.loop = loop
    self.open = Mutex(open)
  }

  /// Takes the path, and listens.
  ///
  /// - Parameters:
  ///   - wait: Waits for a moment: another process may be looking at the same path.
  ///   - refused: Told of every peer that is turned away.
  ///   - admit: Speaks with each peer that wants control, on the loop's thread.
  /// - Throws: When the path cannot be used, or another process answers there.
  package static func open(
    _ path: String, program: String, on loop: PollLoop, calls: SocketCalls = .live, limits: HandoverLimits = .init(),
    wait: () -> Void, refused: @escaping @Sendable (_ process: Int32, _ reason: String) -> Void,
    admit: @escaping @Sendable (ControlConnection) -> Void
  ) throws(HandoverError) -> ControlSocket {
    let checked: SocketPath
    do { checked = try SocketPath(path) } catch { throw HandoverError(error, socket: path) }
    let claim = SocketClaim(path: checked, calls: calls)
    let (listener, bound) = try take(claim, wait: wait)
    DescriptorReserve.shared.keep()
    let socket = ControlSocket(claim: claim, Open(bound: bound, listener: listener), loop: loop)
    let peers = PeerListener(
      listener, loop: loop, calls: calls, limits: limits, program: program, takesOver: false, control: admit,
      lost: { [weak socket] in socket?.isLost() })
    peers.attach { action in
      guard case .notify(let event) = action, case .peerRefused(let process, let reason) = event.detail else { return }
      refused(process, reason)
    }
    let watch = PathWatch(checked, on: loop) { [weak socket] in socket?.mendPath() ?? .inPlace }
    socket.peers.withLock { $0 = peers }
    socket.watch.withLock { $0 = watch }
    loop.execute {
      peers.start()
      watch.look()
    }
    return socket
  }

  private static func take(_ claim: SocketClaim, wait: () -> Void) throws(HandoverError) -> (
    SharedDescriptor, BoundPath
  ) {
    var reason = ""
    for _ in 0..<50 {
      switch try claim.attempt() {
      case .bound(let listener, let bound): return (listener, bound)
      case .connected(let socket):
        let peer = try? claim.calls.peer(socket.number).get()
        let who = peer.map { $0.process > 0 ? "process \($0.process)" : "another process" } ?? "another process"
        throw HandoverError(
          .path, socket: claim.path.path,
          reason: "\(who) answers at \(claim.path) already; give each program a control socket of its own")
      case .later(let why):
        reason = why
        wait()
      }
    }
    throw HandoverError(
      .timedOut, socket: claim.path.path, reason: "the control socket \(claim.path) could not be had: \(reason)")
  }

  private func isLost() {
    open.withLock { $0?.isLost = true }
    watch.withLock { $0 }?.look()
  }

  /// A cleaner of `/tmp` has removed it, for example.
  private func mendPath() -> PathWatch.Outcome {
    guard let now = open.withLock({ $0 }) else { return .inPlace }
    switch claim.isInPlace(now.bound) {
    case true? where !now.isLost: return .inPlace
    case nil: return .impossible
    case true?, false?: break
    }
    switch try? claim.attempt() {
    case .bound(let listener, let bound)?:
      // Closed meanwhile, on another thread: then it is this socket's last deed to remove what it has just made.
      let isOpen = open.withLock { open in
        if open != nil { open = Open(bound: bound, listener: listener) }
        return open != nil
      }
      if isOpen { peers.withLock { $0 }?.replaceListener(listener) } else { claim.remove(bound) }
      return .madeAnew
    case .later?: return .later
    case .connected?, nil: return .impossible
    }
  }

  /// Removes the path if it is still this one's, and lets go of every peer that has not said yet what it wants.
  package func close() {
    let last = open.withLock { open in
      defer { open = nil }
      return open
    }
    guard let last else { return }
    claim.remove(last.bound)
    let (peers, watch) = (peers.withLock { $0 }, watch.withLock { $0 })
    loop.execute {
      watch?.close()
      peers?.close()
      // After the path was removed: while the socket is open, no other file gets its inode.
      withExtendedLifetime(last) {}
    }
  }
}
