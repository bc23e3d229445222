import TestHost
import Foundation
import GracefulDescriptors
import Synchronization
import SystemPackage
import Testing

@testable import GracefulHandover

@Suite("The path of a handover socket", .serialized, .timeLimit(.minutes(2)))
struct SocketPathLossTests {
  /// Every file has the same number, as a file system gives the number of a removed file to the next.
  private var oneNumber: SocketCalls {
    let same: @Sendable (FileStatus) -> FileStatus = { status in
      guard status.kind == .socket else { return status }
      return FileStatus(.socket, user: status.user, permissions: status.permissions, inode: 7, changed: 7)
    }
    var calls = SocketCalls.live
    calls.status = { SocketCalls.live.status($0).map(same) }
    calls.descriptorStatus = { SocketCalls.live.descriptorStatus($0).map(same) }
    return calls
  }

  private func answering(_ stage: Stage, _ who: String, calls: SocketCalls = .live) async throws -> Generation {
    var configuration = stage.configuration(who, calls: calls)
    configuration.control = { _ in }
    return Generation(try await Handover.join(configuration))
  }

  private func exists(_ stage: Stage) -> Bool { FileManager.default.fileExists(atPath: stage.socket) }

  @Test("is left to the process that has taken it while the one before drains, though it has the same inode number")
  func leftToTheNext() async throws {
    let stage = try Stage()
    let first = try await answering(stage, "a", calls: oneNumber)
    try await first.ready()
    // It stays for control.
    await first.handover.leave()
    #expect(exists(stage))
    let second = try await answering(stage, "b", calls: oneNumber)
    #expect(second.handover.generation == 1)
    try await second.ready()
    await withCheckedContinuation { done in first.handover.letGo { done.resume() } }
    #expect(exists(stage), "it is the second one's")
    let third = try await stage.serve("c")
    #expect(third.handover.generation == 2)
    await third.handover.leave()
    await second.handover.leave()
  }

  @Test("is left to its taker when the file that was bound is not held, and another one has its number")
  func anotherOfTheSameNumber() async throws {
    let stage = try Stage()
    var calls = SocketCalls.live
    calls.openPath = { _ in -Errno.tooManyOpenFiles.rawValue }
    let claim = SocketClaim(path: try SocketPath(stage.socket), calls: calls)
    guard case .bound(let socket, let bound) = try claim.attempt() else { throw Unexpected() }
    let before = try SocketCalls.live.status(stage.socket).get()
    #expect(bound.isStill(before))
    var later = before
    later.changed += 1
    #expect(!bound.isStill(later))
    _ = socket
  }

  @Test("is made anew when it was removed, and a successor that another process starts finds it")
  func madeAnew() async throws {
    let stage = try Stage()
    let first = try await stage.serve("a")
    for _ in 0..<3 {
      try FileManager.default.removeItem(atPath: stage.socket)
      try await poll { exists(stage) }
      #expect(FileManager.default.mode(of: stage.socket) == 0o600)
    }
    try await stage.wait(for: "a") { $0.kind == .socketMadeAnew }
    let second = try await stage.serve("b")
    #expect(second.handover.generation == 2)
    #expect(second.inode == first.inode)
    await first.handover.leave()
    #expect(exists(stage), "the path is the successor's")
    // The successor looks after it, too.
    try FileManager.default.removeItem(atPath: stage.socket)
    try await poll { exists(stage) }
    await second.handover.leave()
    #expect(!exists(stage))
    #expect(!exists(stage))
  }

  @Test("is made anew when its directory was moved away and made again")
  func directoryReplaced() async throws {
    let stage = try Stage()
    let first = try await stage.serve("a")
    let moved = stage.directory + "-moved"
    try FileManager.default.moveItem(atPath: stage.directory, toPath: moved)
    defer { try? FileManager.default.removeItem(atPath: moved) }
    // The directory is not there: it is said, and tried again.
    try await stage.wait(for: "a") { $0.kind == .socketLost }
    try FileManager.default.createDirectory(
      atPath: stage.directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    try await poll { exists(stage) }
    let second = try await stage.serve("b")
    #expect(second.handover.generation == 2)
    await second.handover.leave()
    await first.handover.leave()
  }

  @Test("is another process's when that has bound it: it is said once, and left alone")
  func taken() async throws {
    let stage = try Stage()
    let first = try await stage.serve("a")
    try FileManager.default.removeItem(atPath: stage.socket)
    // Faster than the look, or after it: then its own is removed again.
    var other: ForeignServer?
    try await poll {
      other = try? ForeignServer(at: stage.socket, .silent)
      if other == nil { try? FileManager.default.removeItem(atPath: stage.socket) }
      return other != nil
    }
    await first.handover.leave()
    #expect(exists(stage))
    #expect(other?.isListening == true)
    other?.stop()
  }

  @Test("of control alone is made anew when it was removed")
  func control() async throws {
    let stage = try Stage()
    let loop = try PollLoop(name: "control")
    let socket = try ControlSocket.open(
      stage.socket, program: "test", on: loop, wait: {}, refused: { _, _ in }, admit: { _ in })
    try FileManager.default.removeItem(atPath: stage.socket)
    try await poll { (try? stage.client()) != nil }
    socket.close()
    #expect(!exists(stage))
    loop.stop()
  }

  @Test("A lock whose file was removed is none: the file that has the name now is locked")
  func lockRemoved() throws {
    let stage = try Stage()
    let path = stage.socket + ".lock"
    let calls = FileLock.Calls(
      open: FileLock.Calls.live.open, status: FileLock.Calls.live.status,
      pathStatus: FileLock.Calls.live.pathStatus,
      tryLock: { descriptor in
        unlink(path)
        return FileLock.Calls.live.tryLock(descriptor)
      })
    #expect(FileLock.take(path, calls: calls) == .held)
    guard case .ours(let descriptor) = FileLock.take(path) else { throw Unexpected() }
    close(descriptor)
  }
}
