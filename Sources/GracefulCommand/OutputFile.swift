internal import Foundation
internal import GracefulSystem
internal import SystemPackage

/// Where what a command makes goes: opened before the work, so that half an hour of it is not for nothing, and written at
/// its end.
///
/// A file is replaced at once (`AtomicFile`), and an earlier one stays until the new one is whole. What is no file (a pipe,
/// a terminal) is written to.
final class OutputFile {
  private let path: FilePath
  /// What is no file.
  private var stream: FileDescriptor?
  private var file: AtomicFile?

  /// - Parameter path: `-` is standard output.
  /// - Throws: `ENOENT` without the folder, `EACCES` without the permission, `EISDIR` for a folder.
  init(_ path: String) throws(SystemError) {
    self.path = FilePath(path)
    if path == "-" {
      stream = .standardOutput
      return
    }
    var permissions = FilePermissions(rawValue: 0o644)
    do {
      let there = try FileDescriptor.open(self.path, .writeOnly, options: .closeOnExec)
      guard let status = try? FileStatus.read(of: there.rawValue), status.kind == .file else {
        stream = there
        return
      }
      permissions = FilePermissions(rawValue: CModeT(status.permissions & 0o777))
      try there.close()
    } catch Errno.noSuchFileOrDirectory {
      // It will be new.
    } catch {
      throw SystemError("open", on: self.path, error)
    }
    let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    file = try AtomicFile(replacing: FilePath(target), permissions: permissions)
  }

  deinit {
    if let stream, stream != .standardOutput { try? stream.close() }
  }

  /// Writes all of it, once.
  func write(_ text: String) throws(SystemError) {
    if let file = file.take() { return try file.write { _ = try $0.writeAll(text.utf8) } }
    guard let stream else { return }
    do { _ = try stream.writeAll(text.utf8) } catch { throw SystemError("write", on: path, error) }
  }
}
