import Graceful
import GracefulDescriptors

/// The stop endpoint's listener in a handover: it passes to the successor, so that no probe is refused.
///
/// The predecessor accepts until its successor takes over, and the successor from then on; a client that connects in between waits
/// in the queue of the socket, which is the same one. Never both: NIO takes it for a fault of the kernel when it is told of a
/// connection that another process has accepted (an assertion in `BaseSocketChannel`).
struct PassingStopSocket: HandoverCompanion {
  let server: StopServer
  let address: StopServerAddress

  func joined(_ handover: Handover) {
    // Under its address: a listener of another one is of no use here.
    let name = "graceful.http \(address)"
    handover.accompany(Acceptor(accept: { server.accept() }, pause: { server.pause($0) }))
    server.join(
      offer: { [weak handover] socket in
        handover?.offer(socket.descriptor, named: name, metadata: socket.path?.bound.metadata ?? [])
      },
      inherited: {
        handover.inherit(name).flatMap { address.socket(inherited: $0.descriptor, metadata: $0.metadata) }
      })
  }
}

extension StopServerAddress {
  /// What the predecessor has left, if it is one for this address.
  fileprivate func socket(inherited descriptor: SharedDescriptor, metadata: [UInt8]) -> StopSocket? {
    switch kind {
    case .tcp(let address):
      guard let found = try? ListenAddress(of: descriptor.owned), address.isSatisfied(by: found) else { return nil }
      return StopSocket(descriptor: descriptor, path: nil)
    case .socket, .ownSocket:
      guard let bound = BoundPath(metadata), let claim = try? claim() else { return nil }
      return StopSocket(descriptor: descriptor, path: .init(claim: claim, bound: bound))
    }
  }
}
