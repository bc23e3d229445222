internal import CGracefulSystem
package import GracefulDescriptors
internal import SystemPackage

/// A directory of the user's own (0700) for the server's socket, with a path short enough for a Unix address.
package struct PrivateDirectory: Sendable {
  package let path: String

  /// - Throws: when no directory can be made below `parent`.
  package static func make(in parent: String = "/tmp") throws(SystemError) -> PrivateDirectory {
    var result: CInt = 0
    // As mkdtemp(3): a name that cannot be foreseen, and mkdir(2) that fails when it is taken all the same.
    for _ in 0..<16 {
      let path = "\(parent)/graceful-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
      result = cgs_make_directory(path, 0o700)
      if result >= 0 { return PrivateDirectory(path: path) }
      guard Errno(rawValue: -result) == .fileExists else { break }
    }
    throw SystemError("mkdir", on: parent, result: result, advice: "check that it can be written")
  }

  /// Removes it with the files in it.
  package func remove() { _ = cgs_remove_directory(path) }
}
