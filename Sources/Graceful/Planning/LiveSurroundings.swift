internal import CGracefulSystem
internal import GracefulShutdown
internal import SystemPackage

extension ProcessSurroundings {
  /// Of this process.
  static var live: ProcessSurroundings {
    let variables = variables()
    return ProcessSurroundings(
      variable: { variables[$0] }, exists: exists, cgroup: { read("/proc/self/cgroup") }, pid: cgs_process_id(),
      parent: cgs_parent_process_id())
  }

  /// All of them at once: later another thread may be changing the environment (getenv(3)).
  private static func variables() -> [String: String] {
    var variables: [String: String] = [:]
    var entries = cgs_environment()
    while let entry = entries?.pointee {
      let text = String(cString: entry)
      if let equals = text.firstIndex(of: "=") {
        // Of two of one name, getenv(3) sees the first.
        let name = String(text[..<equals])
        if variables[name] == nil { variables[name] = String(text[text.index(after: equals)...]) }
      }
      entries = entries?.successor()
    }
    return variables
  }

  private static func exists(_ path: String) -> Bool {
    var status = cgs_file_status()
    return cgs_link_status(path, &status) >= 0
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
  /// What is said to this process: as it was when somebody first asked.
  package static let live = OutsideSettings(.live)
}
