internal import CGracefulSystem
internal import GracefulShutdown
internal import GracefulSystem
internal import SystemPackage

extension ProcessSurroundings {
  /// Of this process.
  static var live: ProcessSurroundings {
    // All of them at once: later another thread may be changing the environment (getenv(3)).
    let variables = EnvironmentVariables.all
    return ProcessSurroundings(
      variable: { variables[$0] }, exists: exists, cgroup: { read("/proc/self/cgroup") }, pid: cgs_process_id(),
      parent: cgs_parent_process_id())
  }

  private static func exists(_ path: String) -> Bool {
    (try? FileStatus.read(at: path)) != nil
  }

  /// As much as is worth reading; empty when there is nothing to read.
  private static func read(_ path: String) -> String {
    guard let file = try? FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec) else { return "" }
    defer { try? file.close() }
    var bytes = [UInt8](repeating: 0, count: 16_384)
    let count = (try? bytes.withUnsafeMutableBytes { try file.read(into: $0) }) ?? 0
    return String(decoding: bytes[..<count], as: UTF8.self)
  }
}

extension OutsideSettings {
  /// What is said to this process: as it was when it was first asked for.
  package static let live = OutsideSettings(.live)
}
