import Foundation
import GracefulDescriptors
import SystemPackage
import Testing

@testable import GracefulHandover

@Suite("A claim to the handover socket", .serialized)
struct SocketClaimTests {
  private let stage: Stage
  init() throws { stage = try Stage() }

  private func claim(calls: SocketCalls = .live) throws -> SocketClaim {
    SocketClaim(path: try SocketPath(stage.socket), calls: calls)
  }

  private func bound(_ claim: SocketClaim) throws -> (SharedDescriptor, BoundPath) {
    guard case .bound(let socket, let path) = try claim.attempt() else { throw Unexpected() }
    return (socket, path)
  }

  @Test("binds a free path, and the next claim connects to it")
  func connects() throws {
    let (socket, path) = try bound(claim())
    guard case .connected = try claim().attempt() else { throw Unexpected() }
    #expect(BoundPath(path.metadata) == path)
    _ = socket
  }

  @Test("replaces a path whose process has died")
  func stale() throws {
    _ = try bound(claim()).1
    #expect(FileManager.default.fileExists(atPath: stage.socket))
    _ = try bound(claim())
  }

  @Test("comes again when another one is deciding")
  func locked() throws {
    let lock = SocketCalls.live.openPrivate(stage.socket + ".lock")
    let held = SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: lock)))
    #expect(SocketCalls.live.tryLock(held.number) >= 0)
    guard case .later = try claim().attempt() else { throw Unexpected() }
  }

  @Test("refuses a lock that is a link, a directory or a pipe, and says so")
  func strangeLocks() throws {
    let lock = stage.socket + ".lock"
    let make: [() throws -> Void] = [
      { try FileManager.default.createSymbolicLink(atPath: lock, withDestinationPath: stage.directory + "/other") },
      { try FileManager.default.createDirectory(atPath: lock, withIntermediateDirectories: false) },
      { #expect(mkfifo(lock, 0o600) == 0) },
    ]
    for make in make {
      try make()
      let error = #expect(throws: HandoverError.self) { _ = try claim().attempt() }
      #expect(error?.reason.contains(lock) == true)
      #expect(error?.reason.contains("must be a file of our own") == true)
      #expect(!FileManager.default.fileExists(atPath: stage.directory + "/other"))
      try FileManager.default.removeItem(atPath: lock)
    }
  }

  @Test("refuses a lock of somebody else, who could hold it for ever")
  func foreignLock() throws {
    var calls = SocketCalls.live
    calls.descriptorStatus = { descriptor in
      SocketCalls.live.descriptorStatus(descriptor).map { status in
        var status = status
        status.user = 4242
        return status
      }
    }
    let error = #expect(throws: HandoverError.self) { _ = try claim(calls: calls).attempt() }
    #expect(error?.reason.contains("belongs to user 4242") == true)
  }

  @Test("removes its path, and leaves one that somebody else has bound meanwhile")
  func removes() throws {
    let (socket, path) = try bound(claim())
    try claim().remove(path)
    #expect(!FileManager.default.fileExists(atPath: stage.socket))
    let (other, second) = try bound(claim())
    #expect(second != path, "the first socket is open, so its inode is its own")
    try claim().remove(path)
    #expect(FileManager.default.fileExists(atPath: stage.socket))
    _ = (socket, other)
  }

  @Test("leaves everything as it is when nothing is at the path")
  func removesNothing() throws {
    let (socket, path) = try bound(claim())
    try FileManager.default.removeItem(atPath: stage.socket)
    try claim().remove(path)
    _ = socket
  }
}
