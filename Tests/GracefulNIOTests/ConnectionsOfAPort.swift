import Foundation
import SystemPackage

/// What this process has open, and what the system knows, of one TCP port.
enum ConnectionsOfAPort {
  /// How many descriptors of this process are sockets with this local port.
  ///
  /// Those of clients have it as their remote
  /// one.
  static func descriptors(_ port: Int) throws -> Int {
    let inodes = Set(try rows().filter { $0.local == port && $0.inode != "0" }.map(\.inode))
    let entries = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
    let targets = entries.compactMap {
      try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
    }
    return targets.filter { $0.hasPrefix("socket:[") && inodes.contains(String($0.dropFirst(8).dropLast())) }.count
  }

  /// How many connections to it have begun, and have heard nothing yet (SYN_SENT).
  static func unanswered(_ port: Int) throws -> Int {
    try rows().count { $0.remote == port && $0.state == "02" }
  }

  private static func rows() throws -> [(local: Int, remote: Int, state: String, inode: String)] {
    try contents("/proc/self/net/tcp").split(separator: "\n").dropFirst().compactMap { line in
      let fields = line.split(separator: " ")
      guard fields.count > 9, let local = Int(fields[1].suffix(4), radix: 16),
        let remote = Int(fields[2].suffix(4), radix: 16)
      else { return nil }
      return (local, remote, String(fields[3]), String(fields[9]))
    }
  }

  /// Such a file has no size, and it comes in pieces.
  private static func contents(_ path: String) throws -> String {
    let file = try SystemPackage.FileDescriptor.open(path, .readOnly)
    return try file.closeAfter {
      var bytes: [UInt8] = []
      var piece = [UInt8](repeating: 0, count: 1 << 16)
      while true {
        let count = try piece.withUnsafeMutableBytes { try file.read(into: $0) }
        guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
        bytes += piece.prefix(count)
      }
    }
  }
}
