import CGracefulSystem
import Foundation
import GracefulDescriptors
import SystemPackage
import Testing

@Suite("A socket path", .serialized)
struct SocketPathTests {
  private let directory: Directory
  init() throws { directory = try Directory() }

  private func check(_ path: String, calls: SocketCalls = .live) throws(SocketPath.Refusal) -> FileStatus? {
    try SocketPath(path).check(calls: calls)
  }

  private func refusal(_ path: String, calls: SocketCalls = .live) -> String? {
    do throws(SocketPath.Refusal) {
      _ = try check(path, calls: calls)
      return nil
    } catch { return "\(error)" }
  }

  @Test("is never empty")
  func empty() { #expect(throws: SocketPath.Refusal.empty) { try SocketPath("") } }

  @Test("may be as long as the system takes, and not one byte longer; it is never cut")
  func length() throws {
    let limit = Int(cgs_unix_path_limit())
    let longest = "/" + String(repeating: "x", count: limit - 1)
    #expect(try SocketPath(longest).path == longest)
    #expect(throws: SocketPath.Refusal.tooLong(longest + "x", length: limit + 1, limit: limit)) {
      try SocketPath(longest + "x")
    }
    // Bytes count, not characters.
    #expect(throws: SocketPath.Refusal.self) { try SocketPath(String(repeating: "ü", count: limit / 2 + 1)) }

    // The longest can really be bound.
    let room = directory.path + "/"
    let path = room + String(repeating: "y", count: limit - room.utf8.count)
    let socket = OwnedDescriptor(adopting: FileDescriptor(rawValue: SocketCalls.live.unixSocket()))
    #expect(SocketCalls.live.bind(socket.borrowed.rawValue, path) >= 0)
    #expect(try check(path) != nil)
  }

  @Test("has no zero in it, and the reason is not its length")
  func zero() {
    let refusal = refusal("/tmp/a\0b")
    #expect(refusal != nil)
    #expect(refusal?.contains("at most") == false)
  }

  @Test("is free where nothing is")
  func free() throws { #expect(try check(directory.path + "/s") == nil) }

  @Test("is taken by a socket of our own")
  func socket() throws {
    let socket = OwnedDescriptor(adopting: FileDescriptor(rawValue: SocketCalls.live.unixSocket()))
    #expect(SocketCalls.live.bind(socket.borrowed.rawValue, directory.path + "/s") >= 0)
    #expect(try check(directory.path + "/s")?.kind == .socket)
  }

  @Test("is refused where something else is, which is left as it is")
  func notASocket() throws {
    let path = directory.path + "/s"
    let make: [(String, () throws -> Void)] = [
      ("regular file", { try Data().write(to: URL(fileURLWithPath: path)) }),
      ("directory", { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false) }),
      ("symbolic link", { try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/tmp") }),
      ("symbolic link", { try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "nowhere") }),
      ("named pipe", { #expect(mkfifo(path, 0o600) == 0) }),
    ]
    for (name, make) in make {
      try make()
      #expect(refusal(path)?.contains("\(path) is a \(name), not a socket") == true)
      try FileManager.default.removeItem(atPath: path)
    }
  }

  @Test("is refused where it belongs to somebody else")
  func foreignOwner() throws {
    let path = directory.path + "/s"
    let socket = OwnedDescriptor(adopting: FileDescriptor(rawValue: SocketCalls.live.unixSocket()))
    #expect(SocketCalls.live.bind(socket.borrowed.rawValue, path) >= 0)
    var calls = SocketCalls.live
    let own = path
    calls.status = { asked in
      SocketCalls.live.status(asked).map { status in
        var status = status
        if asked == own { status.user = 4242 }
        return status
      }
    }
    #expect(refusal(path, calls: calls)?.contains("belongs to user 4242") == true)
  }

  @Test("is refused in a directory of somebody else, and accepted in root's")
  func foreignDirectory() throws {
    func calls(owner: UInt32) -> SocketCalls {
      var calls = SocketCalls.live
      calls.status = { asked in
        SocketCalls.live.status(asked).map { status in
          var status = status
          if asked.hasSuffix("/.") { status.user = owner }
          return status
        }
      }
      return calls
    }
    let path = directory.path + "/s"
    #expect(refusal(path, calls: calls(owner: 4242))?.contains("belongs to user 4242") == true)
    #expect(refusal(path, calls: calls(owner: 0)) == nil)
  }

  @Test(
    "is refused in a directory that others can write to, unless that is sticky",
    arguments: [(0o700, true), (0o755, true), (0o770, false), (0o702, false), (0o777, false), (0o1777, true)])
  func directoryMode(mode: Int, isSafe: Bool) throws {
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: directory.path)
    #expect((refusal(directory.path + "/s") == nil) == isSafe)
  }

  @Test("says how to make the directory that is missing, and follows a link to one")
  func missingDirectory() throws {
    let missing = directory.path + "/d"
    #expect(refusal(missing + "/s")?.contains("mkdir -p -m 0700 \(missing)") == true)
    let link = directory.path + "/link"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: directory.path)
    #expect(refusal(link + "/s") == nil)
  }

  @Test("has mode 0600 from the moment it is bound, whatever the umask is", arguments: [0, 0o022, 0o077] as [mode_t])
  func mode(mask: mode_t) throws {
    let path = directory.path + "/s"
    let socket = OwnedDescriptor(adopting: FileDescriptor(rawValue: SocketCalls.live.unixSocket()))
    let before = umask(mask)
    let bound = SocketCalls.live.bind(socket.borrowed.rawValue, path)
    umask(before)
    #expect(bound >= 0)
    #expect(try check(path)?.permissions == 0o600)
  }
}

/// A private directory that goes with this value.
final class Directory: Sendable {
  let path: String
  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/graceful-\(UInt32.random(in: .min ... .max))"
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }
}
