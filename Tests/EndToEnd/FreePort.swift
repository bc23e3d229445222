import GracefulDescriptors
import Synchronization
import Testing

/// Ports on which a server may listen later.
///
/// They are below those that the kernel gives to clients and to listeners that ask for any (ip(7),
/// `ip_local_port_range`): such a one may be taken by another test before the server has come to it.
enum FreePort {
  private static let last = Atomic(Int.random(in: 20_000..<28_000))

  /// - Returns: One on which nothing listens, and that this process has not given out before.
  static func take() throws -> UInt16 {
    for _ in 0..<1000 {
      let port = UInt16(last.wrappingAdd(1, ordering: .relaxed).newValue)
      if (try? ListenAddress(host: "127.0.0.1", port: port).listen()) != nil { return port }
    }
    throw NoFreePort()
  }

  struct NoFreePort: Error {}
}
