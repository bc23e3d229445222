internal import CGracefulSystem
internal import SystemPackage

/// Whether another process belongs to the same unit of systemd: it is in the same control group (cgroups(7)).
enum SameUnit {
  static let holds: @Sendable (Int32) -> Bool = { process in
    guard let own = group(of: cgs_process_id()), let other = group(of: process) else { return false }
    return own == other
  }

  private static func group(of process: Int32) -> String? {
    guard let file = try? FileDescriptor.open(FilePath("/proc/\(process)/cgroup"), .readOnly, options: .closeOnExec)
    else { return nil }
    defer { try? file.close() }
    var bytes = [UInt8](repeating: 0, count: 4096)
    guard let count = try? bytes.withUnsafeMutableBytes({ try file.read(into: $0) }), count > 0 else { return nil }
    return String(decoding: bytes[..<count], as: UTF8.self)
  }
}
