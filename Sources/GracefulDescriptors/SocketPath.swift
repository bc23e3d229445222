internal import CGracefulSystem
package import GracefulSystem
internal import SystemPackage

/// A path for a Unix socket that is ours alone, checked before it is used.
package struct SocketPath: Sendable, Equatable, CustomStringConvertible {
  package let path: String
  package var lockPath: String { path + ".lock" }
  package var description: String { path }

  /// Why a path cannot be used.
  ///
  /// Each says what to do.
  package enum Refusal: Error, Equatable, Sendable, CustomStringConvertible {
    case empty
    case zero
    case tooLong(String, length: Int, limit: Int)
    case notASocket(String, FileStatus.Kind)
    case foreignOwner(String, owner: UInt32, user: UInt32)
    case directoryUnsafe(String, reason: String)
    case system(SystemError)

    package var description: String {
      switch self {
      case .empty: "the socket path is empty; give a path, for example $XDG_RUNTIME_DIR/my-program.sock"
      case .zero: "the socket path has a zero byte in it, at which the system would cut it; choose another one"
      case .tooLong(let path, let length, let limit):
        "the socket path \(path) has \(length) bytes, and the system takes at most \(limit) (unix(7)); "
          + "choose a shorter one"
      case .notASocket(let path, let kind):
        "\(path) is \(kind.rawValue), not a socket, and is left as it is; choose another path, or remove it"
      case .foreignOwner(let path, let owner, let user):
        "\(path) belongs to user \(owner), and this process runs as user \(user); choose a path of your own"
      case .directoryUnsafe(let directory, let reason):
        "the directory \(directory) \(reason); choose a directory that only you can write to"
      case .system(let error): error.description
      }
    }
  }

  /// - Throws: when the path is empty or does not fit into a socket address as it is. It is never cut.
  package init(_ path: String) throws(Refusal) {
    guard !path.isEmpty else { throw .empty }
    let limit = Int(cgs_unix_path_limit())
    guard !path.utf8.contains(0) else { throw .zero }
    guard path.utf8.count <= limit else {
      throw .tooLong(path, length: path.utf8.count, limit: limit)
    }
    self.path = path
  }

  /// What it is called in its directory.
  package var name: String { path.split(separator: "/").last.map(String.init) ?? path }

  package var directory: String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// Looks at the directory and at what is at the path now.
  ///
  /// In the directory no other user may be able to replace our socket: it must be our own or root's, and closed to others'
  /// writing, or sticky (`/tmp`). What is at the path must be a socket of our own user, or nothing.
  /// - Returns: whether a socket is there, with its status.
  package func check(calls: SocketCalls) throws(Refusal) -> FileStatus? {
    let user = cgs_effective_user()
    // The trailing dot follows a link to the directory (/var/run), which lstat alone would report as a link.
    switch calls.status(directory + "/.") {
    case .failure(let error):
      throw .system(
        SystemError(
          operation: error.operation, subject: directory, errno: error.errno,
          advice: error.errno == .noSuchFileOrDirectory
            ? "make the directory, closed to others: mkdir -p -m 0700 \(directory)"
            : "choose a path in a directory of your own"))
    case .success(let status):
      guard status.user == user || status.user == 0 else {
        throw .directoryUnsafe(
          directory, reason: "belongs to user \(status.user), and this process runs as user \(user)")
      }
      guard status.permissions & 0o022 == 0 || status.isSticky else {
        throw .directoryUnsafe(directory, reason: "can be written to by others")
      }
    }
    switch calls.status(path) {
    case .failure(let error) where error.errno == .noSuchFileOrDirectory: return nil
    case .failure(let error): throw .system(error)
    case .success(let status):
      guard status.kind == .socket else { throw .notASocket(path, status.kind) }
      guard status.user == user else { throw .foreignOwner(path, owner: status.user, user: user) }
      return status
    }
  }
}
