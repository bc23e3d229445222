internal import CGracefulSystem
internal import GracefulProcesses
internal import NIOCore
internal import SystemPackage

/// The server's end of a connection of ours, and the processes that have it open.
///
/// Both ends of a connection within this machine are in its tables; the inode of the socket at the other end leads to
/// the processes that have a descriptor of it. In another network namespace, or on another machine, there is nothing to
/// be found.
package struct ServerEnd: Hashable, Sendable {
  /// An address as the system has it: its bytes and its port.
  struct Address: Hashable, Sendable {
    var bytes: [UInt8]
    var port: UInt16

    /// Reads the system's structure (ip(7), ipv6(7)); `nil` for another family.
    init?(_ address: SocketAddress?) {
      guard let address, let port = address.port else { return nil }
      self.port = UInt16(clamping: port)
      bytes = address.withSockAddr { pointer, size in
        let raw = UnsafeRawBufferPointer(start: UnsafeRawPointer(pointer), count: size)
        return switch address {
        case .v4 where size >= 8: Array(raw[4..<8])
        case .v6 where size >= 24: Array(raw[8..<24])
        case .v4, .v6, .unixDomainSocket: []
        }
      }
      if bytes.isEmpty { return nil }
    }

    init(bytes: [UInt8], port: UInt16) {
      self.bytes = bytes
      self.port = port
    }

    /// An IPv4 address as a socket of IPv6 has it (RFC 4291 §2.5.5.2).
    var mapped: Address { Address(bytes: [UInt8](repeating: 0, count: 10) + [255, 255] + bytes, port: port) }

    /// As the tables in /proc/net have it (proc_pid_net(5)): words of four bytes in the order of a
    /// little-endian machine.
    var inTable: String {
      let words = stride(from: 0, to: bytes.count, by: 4).map { index in
        bytes[index..<index + 4].reversed().map { Self.hex($0) }.joined()
      }
      return words.joined() + ":" + Self.hex(UInt8(port >> 8)) + Self.hex(UInt8(truncatingIfNeeded: port))
    }

    private static func hex(_ byte: UInt8) -> String {
      let digits = String(byte, radix: 16, uppercase: true)
      return digits.utf8.count < 2 ? "0" + digits : digits
    }
  }

  let own: Address
  let peer: Address

  /// Of the client's channel; `nil` where it is no TCP connection.
  init?(_ channel: any Channel) {
    guard let own = Address(channel.remoteAddress), let peer = Address(channel.localAddress) else { return nil }
    self.init(own: own, peer: peer)
  }

  init(own: Address, peer: Address) {
    self.own = own
    self.peer = peer
  }

  /// The inode of the socket; `nil` before a process has accepted it, after it was closed, and where it is not to be
  /// found here.
  var inode: UInt64? {
    var inode: UInt64 = 0
    let result = cgs_connection_inode(own.bytes.count == 4 ? 2 : 10, own.bytes, own.port, peer.bytes, peer.port, &inode)
    if result >= 0 { return inode == 0 ? nil : inode }
    // Where that was an answer, the tables say nothing else; where the system has no such question, they are read.
    return Errno(rawValue: -result) == .noSuchFileOrDirectory ? nil : inodeInTables
  }

  /// The same, from the tables of all connections.
  var inodeInTables: UInt64? {
    if own.bytes.count == 4 {
      return ConnectionTable.inode(own, peer, in: "/proc/net/tcp")
        ?? ConnectionTable.inode(own.mapped, peer.mapped, in: "/proc/net/tcp6")
    }
    return ConnectionTable.inode(own, peer, in: "/proc/net/tcp6")
  }

  /// Waits a moment until a process has accepted it: most do at once, some not before the request is there.
  func waitForAccept(within limit: Duration) async -> Bool {
    let deadline = ContinuousClock.now + limit
    while inode == nil {
      guard ContinuousClock.now < deadline, !Task.isCancelled else { return false }
      try? await Task.sleep(for: .milliseconds(1))
    }
    return true
  }

  /// Of these processes, those that have it open now.
  func holders(among processes: [ProcessEntry]) -> [ProcessEntry] {
    guard let inode else { return [] }
    return processes.filter { cgs_has_socket($0.id.rawValue, inode) == 1 }
  }
}

/// The tables of all TCP connections of this network namespace.
enum ConnectionTable {
  static func inode(_ own: ServerEnd.Address, _ peer: ServerEnd.Address, in path: String) -> UInt64? {
    guard let file = try? FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec) else { return nil }
    defer { try? file.close() }
    let (own, peer) = (Array(own.inTable.utf8), Array(peer.inTable.utf8))
    var rest: [UInt8] = []
    var bytes = [UInt8](repeating: 0, count: 65536)
    while let count = try? bytes.withUnsafeMutableBytes({ try file.read(into: $0) }), count > 0 {
      rest += bytes[..<count]
      let lines = rest.split(separator: 10, omittingEmptySubsequences: false)
      for line in lines.dropLast() {
        if let inode = inode(own, peer, in: line) { return inode == 0 ? nil : inode }
      }
      rest = Array(lines.last ?? [])
    }
    return nil
  }

  /// Of one line of a table; `nil` when it is another connection's.
  static func inode(_ own: [UInt8], _ peer: [UInt8], in line: some Collection<UInt8>) -> UInt64? {
    let fields = line.split(separator: 32)
    guard fields.count >= 10, fields[1].elementsEqual(own), fields[2].elementsEqual(peer) else { return nil }
    return UInt64(String(decoding: fields[9], as: UTF8.self))
  }
}
