internal import GracefulDescriptors

/// An address for a server that is started several times.
///
/// Its port lies below those that Linux gives to outgoing connections by default (32768 on, ip(7)). While no process listens
/// at a port of that range, a client that connects to it can get that very port for itself, and is connected with itself.
enum FixedAddress {
  static func choose() -> String? {
    for _ in 0..<64 {
      let address = ListenAddress(host: "127.0.0.1", port: .random(in: 10_240..<32_768))
      do throws(SystemError) {
        _ = try address.listen()
        return "\(address)"
      } catch {
        // Taken: another one.
      }
    }
    return nil
  }
}
