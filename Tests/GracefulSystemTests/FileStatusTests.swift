import CGracefulSystem
import Foundation
import GracefulSystem
import SystemPackage
import Testing

@Suite("The status of a file")
struct FileStatusTests {
  @Test("tells its kind, its user, its permissions and how many names it has")
  func kinds() throws {
    let directory = try temporaryDirectory()
    defer { _ = cgs_remove_directory(directory) }
    let file = directory + "/file"
    #expect(cgs_make_file(file, 0o640) >= 0)
    let status = try FileStatus.read(at: file)
    #expect(status.kind == .file)
    #expect(status.user == ThisProcess.user)
    #expect(status.permissions & 0o777 == 0o640)
    #expect(status.links == 1)
    #expect(try FileStatus.read(at: FilePath(file)) == status)
    #expect(try FileStatus.read(at: directory).kind == .directory)
    #expect(try FileStatus.read(at: "/tmp").isSticky)
    #expect(try FileStatus.read(at: "/dev/null").kind == .device)
    try FileManager.default.createSymbolicLink(atPath: directory + "/link", withDestinationPath: "/tmp")
    #expect(try FileStatus.read(at: directory + "/link").kind == .link)
    #expect(try FileStatus.read(at: directory + "/link/.").kind == .directory)
    let pipe = try WakePipe(for: "test")
    #expect(try FileStatus.read(of: pipe.reader).kind == .pipe)
  }

  @Test("has one identity for a file, whatever its name or descriptor, and another version after a change")
  func identity() throws {
    let directory = try temporaryDirectory()
    defer { _ = cgs_remove_directory(directory) }
    let (one, two) = (directory + "/one", directory + "/two")
    let descriptor = cgs_create_file(one, 0o600)
    #expect(descriptor >= 0)
    defer { _ = cgs_close(descriptor) }
    let before = try FileStatus.read(at: one)
    #expect(try FileStatus.read(of: descriptor).version == before.version)
    try FileManager.default.linkItem(atPath: one, toPath: two)
    let after = try FileStatus.read(at: two)
    #expect(after.identity == before.identity)
    #expect(after.links == 2)
    #expect(try FileStatus.read(at: directory).identity != before.identity)
  }

  @Test("is an error that names the call, the path and the reason where nothing is")
  func absent() {
    #expect(throws: SystemError(operation: "lstat", subject: "/no/such/file", errno: .noSuchFileOrDirectory)) {
      try FileStatus.read(at: "/no/such/file")
    }
    #expect(throws: SystemError(operation: "fstat", subject: "descriptor -1", errno: .badFileDescriptor)) {
      try FileStatus.read(of: -1)
    }
  }

  private func temporaryDirectory() throws -> String {
    let path = "/tmp/graceful-status-\(ThisProcess.number)-\(UInt32.random(in: .min ... .max))"
    #expect(cgs_make_directory(path, 0o700) >= 0)
    return path
  }
}
