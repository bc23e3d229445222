internal import GracefulDescriptors
internal import GracefulSystem
internal import SystemPackage

extension Handover.Configuration {
  /// A path for the handover socket that needs no configuration: in a directory of the user's own, named after the
  /// program and what tells its instances apart.
  ///
  /// The directory is `$XDG_RUNTIME_DIR/graceful`, or `/tmp/graceful-UID` where that variable is not set. It is made
  /// with mode 0700, and must belong to this user. Two programs with the same name and distinction take over from each
  /// other.
  /// - Parameter distinction: for example the address that it listens on.
  /// - Throws: when the directory cannot be made or belongs to another user.
  public static func defaultSocket(program: String, distinction: String) throws(HandoverError) -> String {
    let runtime = EnvironmentVariables.value(of: "XDG_RUNTIME_DIR").flatMap { $0.isEmpty ? nil : $0 }
    let directory = runtime.map { "\($0)/graceful" } ?? "/tmp/graceful-\(ThisProcess.user)"
    let name = "\(program)-\(distinction)".map { $0.isLetter || $0.isNumber || ".-_".contains($0) ? $0 : "-" }
    let socket = "\(directory)/\(String(name)).sock"
    let made = SocketCalls.live.makeDirectory(directory)
    let errno = Errno(rawValue: -made)
    guard made >= 0 || errno == .fileExists else {
      throw HandoverError(
        SystemError(
          operation: "mkdir", subject: directory, errno: errno, advice: "name a socket path of your own instead"),
        socket: socket)
    }
    switch SocketCalls.live.status(directory) {
    case .failure(let error): throw HandoverError(error, socket: socket)
    case .success(let status):
      // Another user may make a directory of this name in /tmp before us.
      guard status.kind == .directory, status.user == ThisProcess.user, status.permissions & 0o077 == 0 else {
        throw HandoverError(
          SocketPath.Refusal.directoryUnsafe(directory, reason: "is not a directory of mode 0700 that is our own"),
          socket: socket)
      }
    }
    return socket
  }
}
