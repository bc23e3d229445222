package import NIOCore
internal import SystemPackage

/// Where connections go out from.
///
/// A client that closes first keeps its port in TIME_WAIT for a minute: some 28,000 ports towards one destination last a
/// few seconds at 6,000 connections a second. Linux reuses them on the loopback by default (`tcp_tw_reuse` = 2, ip-sysctl);
/// where it does not, connections to 127.0.0.1 go out from several addresses of 127.0.0.0/8 in turn, which are all ours.
package enum SourceAddresses {
  /// How many addresses: enough for a minute at the highest rate.
  static let count = 32

  /// - Parameter reuse: What /proc/sys/net/ipv4/tcp_tw_reuse says; `nil` when it cannot be read.
  package static func needed(for destination: SocketAddress, reuse: String?) -> [SocketAddress] {
    guard case .v4 = destination, let host = destination.ipAddress, host.hasPrefix("127."), reuse == "0" else {
      return []
    }
    return (1...count).compactMap { try? SocketAddress(ipAddress: "127.0.77.\($0)", port: 0) }
  }

  package static func reuseSetting() -> String? {
    guard let file = try? FileDescriptor.open("/proc/sys/net/ipv4/tcp_tw_reuse", .readOnly, options: .closeOnExec)
    else { return nil }
    defer { try? file.close() }
    var bytes = [UInt8](repeating: 0, count: 16)
    let count = (try? bytes.withUnsafeMutableBytes { try file.read(into: $0) }) ?? 0
    return String(decoding: bytes[..<count], as: UTF8.self).split(whereSeparator: \.isWhitespace).first.map(String.init)
  }
}
