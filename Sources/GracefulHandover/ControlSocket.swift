package import GracefulDescriptors
internal import Synchronization

/// A socket for control requests alone, by the rules of the handover's: mode 0600, in a directory of our own, a stale
/// path is replaced, a live one never (H5).
package final class ControlSocket: Sendable {
  private let claim: SocketClaim
  private let bound: BoundPath
  private let loop: PollLoop
  private let peers: PeerListener
  /// Until it is closed: kept any longer, it would let peers wait for an answer that never comes.
  private let listener: Mutex<SharedDescriptor?>

  private init(
    claim: SocketClaim, bound: BoundPath, listener: SharedDescriptor, loop: PollLoop, peers: PeerListener
  ) {
    self.claim = claim
    self.bound = bound
    self.loop = loop
    self.peers = peers
    self.listener = Mutex(listener)
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
    let peers = PeerListener(
      listener, loop: loop, calls: calls, limits: limits, program: program, takesOver: false, control: admit)
    peers.attach { action in
      guard case .notify(let event) = action, case .peerRefused(let process, let reason) = event.detail else { return }
      refused(process, reason)
    }
    let socket = ControlSocket(claim: claim, bound: bound, listener: listener, loop: loop, peers: peers)
    loop.execute { peers.start() }
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

  /// Removes the path if it is still this one's, and lets go of every peer that has not said yet what it wants.
  package func close() {
    let listener = listener.withLock { listener in
      defer { listener = nil }
      return listener
    }
    guard let listener else { return }
    claim.remove(bound)
    loop.execute { [peers] in
      peers.close()
      // After the path was removed: while the socket is open, no other file gets its inode.
      _ = listener
    }
  }
}
