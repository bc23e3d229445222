import CGracefulSystem
import Foundation
import GracefulSystem
import SystemPackage
import Testing

@Suite("A file that is replaced at once")
struct AtomicFileTests {
  @Test("has the old content until the new one is whole, and nothing is left beside it")
  func replaced() throws {
    let directory = try Directory()
    let path = FilePath(directory.path + "/file")
    try AtomicFile(replacing: path).write { _ = try $0.writeAll("one".utf8) }
    #expect(directory.text("file") == "one")
    let second = try AtomicFile(replacing: path, permissions: FilePermissions(rawValue: 0o600))
    #expect(directory.names == ["file", "file.\(ThisProcess.number).tmp"])
    try second.write { file in
      _ = try file.writeAll("tw".utf8)
      #expect(directory.text("file") == "one")
      _ = try file.writeAll("o".utf8)
    }
    #expect(directory.text("file") == "two")
    #expect(directory.names == ["file"])
    #expect(try FileStatus.read(at: path).permissions == 0o600)
  }

  @Test("stays as it was when it is not written, or not to its end")
  func abandoned() throws {
    let directory = try Directory()
    let path = FilePath(directory.path + "/file")
    try AtomicFile(replacing: path).write { _ = try $0.writeAll("one".utf8) }
    _ = try AtomicFile(replacing: path)
    let error = #expect(throws: SystemError.self) {
      try AtomicFile(replacing: path).write { file in
        _ = try file.writeAll("t".utf8)
        throw Errno.noSpace
      }
    }
    #expect(error?.operation == "write")
    #expect(error?.errno == .noSpace)
    let renamed = #expect(throws: SystemError.self) {
      try AtomicFile(replacing: path).write(rename: { _, _ in -Errno.resourceBusy.rawValue }) { _ in }
    }
    #expect(renamed == SystemError(operation: "rename", subject: path.string, errno: .resourceBusy))
    #expect(directory.text("file") == "one")
    #expect(directory.names == ["file"])
  }

  @Test("is written although its usual name beside the place is taken, as by another user in a sticky directory")
  func squatted() throws {
    let directory = try Directory()
    let path = FilePath(directory.path + "/file")
    let taken = "\(path).\(ThisProcess.number).tmp"
    try FileManager.default.createDirectory(atPath: taken, withIntermediateDirectories: false)
    try AtomicFile(replacing: path).write { _ = try $0.writeAll("one".utf8) }
    #expect(directory.text("file") == "one")
    #expect(directory.names == ["file", "file.\(ThisProcess.number).tmp"])
  }

  @Test("A lock with a second name is none: it may be any file of ours")
  func linkedLock() throws {
    let directory = try Directory()
    let lock = directory.path + "/lock"
    guard case .ours(let descriptor) = FileLock.take(lock) else {
      Issue.record("not taken")
      return
    }
    _ = cgs_close(descriptor)
    try FileManager.default.linkItem(atPath: lock, toPath: directory.path + "/other")
    guard case .foreign(let status) = FileLock.take(lock) else {
      Issue.record("taken")
      return
    }
    #expect(status.links == 2)
  }

  @Test(
    "Of a file it is known when it was born, where the file system says so; not less than what is known by a descriptor"
  )
  func born() throws {
    let directory = try Directory()
    try "x".write(toFile: directory.path + "/file", atomically: false, encoding: .utf8)
    var byName = try FileStatus.read(at: directory.path + "/file")
    let file = try FileDescriptor.open(directory.path + "/file", .readOnly)
    let byDescriptor = try FileStatus.read(of: file.rawValue)
    try file.close()
    #expect(byName.born <= byName.changed)
    byName.born = 0
    #expect(byName == byDescriptor)
  }

  @Test("is made anew over what a process that was killed has left, and not without its directory")
  func leftover() throws {
    let directory = try Directory()
    let path = FilePath(directory.path + "/file")
    #expect(cgs_make_file("\(path).\(ThisProcess.number).tmp", 0o600) >= 0)
    try AtomicFile(replacing: path).write { _ = try $0.writeAll("one".utf8) }
    #expect(directory.names == ["file"])
    let error = #expect(throws: SystemError.self) {
      _ = try AtomicFile(replacing: FilePath("\(directory.path)/none/file"))
    }
    #expect(error?.errno == .noSuchFileOrDirectory)
  }
}

private final class Directory {
  let path: String

  init() throws {
    path = "/tmp/graceful-atomic-\(ThisProcess.number)-\(UInt32.random(in: .min ... .max))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  deinit { _ = cgs_remove_directory(path) }

  var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path))?.sorted() ?? [] }
  func text(_ name: String) -> String? { try? String(contentsOfFile: "\(path)/\(name)", encoding: .utf8) }
}
