internal import GracefulSystem
internal import SystemPackage

/// Where the token comes from: never from the program's text.
public struct StopTokenSource: Hashable, Sendable {
  private enum Kind: Hashable, Sendable {
    case file(String)
    case environment(String)
    case given(StopToken)
  }

  private let kind: Kind

  /// The contents of a file, without the blanks and line breaks around them; read once, as the trigger begins to listen.
  ///
  /// The file, or what a symbolic link of that name leads to (as Kubernetes mounts secrets), must be a regular file of
  /// this user or root, and others may neither read it nor may they or its group write to it: mode 0400, 0600 or 0440.
  /// Kubernetes mounts secrets with mode 0644 unless `defaultMode: 0400` (or `0440` beside an `fsGroup`) says otherwise.
  public static func file(_ path: String) -> Self { Self(kind: .file(path)) }

  /// The value of an environment variable.
  ///
  /// Child processes inherit it, and this user and root can read it in `/proc`: a file tells fewer.
  public static func environment(_ variable: String) -> Self { Self(kind: .environment(variable)) }

  /// A token that is known already: for tests.
  package static func given(_ token: StopToken) -> Self { Self(kind: .given(token)) }

  /// - Throws: When there is none; the configuration is wrong then.
  package func read() throws(StopTokenError) -> StopToken {
    switch kind {
    case .given(let token): return token
    case .file(let path): return try Self.token(of: Self.contents(of: path), in: "the token file \(path)")
    case .environment(let name):
      guard let value = EnvironmentVariables.value(of: name) else {
        throw StopTokenError("the environment variable \(name), which is to hold the token, is not set")
      }
      return try Self.token(of: value, in: "the environment variable \(name), which is to hold the token,")
    }
  }

  private static func token(of text: String, in place: String) throws(StopTokenError) -> StopToken {
    let blanks: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D]
    let bytes = text.utf8.drop { blanks.contains($0) }.reversed().drop { blanks.contains($0) }.reversed()
    guard !bytes.isEmpty else {
      throw StopTokenError("\(place) is empty; put 32 random characters there (openssl rand -hex 16)")
    }
    guard let token = StopToken(String(decoding: Array(bytes), as: UTF8.self)) else {
      throw StopTokenError(
        "\(place) holds what cannot be sent in a header; use at most \(StopToken.longest) visible ASCII characters, on one line"
      )
    }
    return token
  }

  private static func contents(of path: String) throws(StopTokenError) -> String {
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw StopTokenError("the path of the token file is \(path.isEmpty ? "empty" : "no path: it has a zero byte")")
    }
    let file: FileDescriptor
    do {
      // Not blocking: a pipe of that name would hold up the start until it is written to.
      file = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec, .nonBlocking])
    } catch {
      throw StopTokenError("the token file \(path) cannot be read: \(error); make it readable for this user")
    }
    defer { try? file.close() }
    // Of what was opened, not of the path: that may be another file by now.
    let status: FileStatus
    do throws(SystemError) {
      status = try FileStatus.read(of: file.rawValue)
    } catch {
      throw StopTokenError("the token file \(path) cannot be looked at: \(error.errno)")
    }
    guard status.kind == .file else { throw StopTokenError("the token file \(path) is no regular file") }
    guard status.user == ThisProcess.user || status.user == 0 else {
      throw StopTokenError(
        "the token file \(path) belongs to user \(status.user); it must be this user's own or root's")
    }
    guard status.permissions & 0o027 == 0 else {
      throw StopTokenError(
        "others can read the token file \(path), or other users can write to it (mode 0\(String(status.permissions, radix: 8)));"
          + " close it: chmod 0400")
    }
    do {
      var bytes = [UInt8](repeating: 0, count: 2 * StopToken.longest)
      var count = 0
      while count < bytes.count {
        let read = try bytes.withUnsafeMutableBytes { room in
          try file.read(into: UnsafeMutableRawBufferPointer(rebasing: room[count...]))
        }
        if read == 0 { break }
        count += read
      }
      return String(decoding: bytes[..<count], as: UTF8.self)
    } catch {
      throw StopTokenError("the token file \(path) cannot be read: \(error)")
    }
  }
}

/// There is no token where it was said to be.
package struct StopTokenError: Error, Equatable, Sendable, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}
