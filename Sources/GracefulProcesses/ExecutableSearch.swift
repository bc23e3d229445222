internal import CGracefulSystem
package import GracefulDescriptors
internal import SystemPackage

/// Where an executable is, as execvp(3) would find it, but with an error that says what is wrong.
package enum ExecutableSearch {
  /// Along what a name is looked for when there is no `PATH` (confstr(3), `_CS_PATH`).
  static let standardPath = "/bin:/usr/bin"

  /// The path to hand to the kernel; relative when `name` has a slash and is relative.
  ///
  /// - Parameter path: The value of `PATH`; a name with a slash is not looked for along it.
  /// - Throws: `ENOENT` when there is no such file, `EACCES` when there is a file that may not be executed.
  package static func find(
    _ name: String, along path: String?, from directory: String?
  ) throws(SystemError) -> String {
    guard !name.isEmpty else {
      throw SystemError(operation: "exec", subject: "an empty name", errno: .noSuchFileOrDirectory)
    }
    if name.contains("/") {
      let seen = name.hasPrefix("/") || directory == nil ? name : "\(directory ?? ".")/\(name)"
      let result = cgs_executable(seen)
      guard result >= 0 else { throw refused(name, result) }
      return name
    }
    var denied: CInt?
    for folder in (path ?? standardPath).split(separator: ":", omittingEmptySubsequences: false) {
      let candidate = folder.isEmpty ? "./\(name)" : "\(folder)/\(name)"
      let result = cgs_executable(candidate)
      if result >= 0 { return candidate }
      // As execvp(3): a file that may not be executed is remembered, the search goes on.
      if Errno(rawValue: -result) == .permissionDenied { denied = result }
    }
    throw refused(name, denied ?? -Errno.noSuchFileOrDirectory.rawValue)
  }

  private static func refused(_ name: String, _ result: CInt) -> SystemError {
    let advice =
      switch Errno(rawValue: -result) {
      case .permissionDenied: "make it an executable file (chmod +x) or name another one"
      case .noSuchFileOrDirectory where !name.contains("/"): "no such command in PATH; write its path"
      default: "check the path"
      }
    return SystemError("exec", on: name, result: result, advice: advice)
  }
}
