internal import CGracefulSystem
internal import Foundation
internal import GracefulDescriptors
internal import SystemPackage

/// Where what a command makes goes: opened before the work, so that half an hour of it is not for nothing, and written at
/// its end.
///
/// A file is replaced at once (rename(2)): nobody reads half of it, and an earlier one stays until the new one is
/// whole. What is no file (a pipe, a terminal) is written to.
final class OutputFile {
  private let path: String
  private let descriptor: FileDescriptor
  /// What is renamed to ``target`` at the end.
  private var temporary: String?
  private let target: String

  /// - Parameter path: `-` is standard output.
  /// - Throws: `ENOENT` without the folder, `EACCES` without the permission, `EISDIR` for a folder.
  init(_ path: String) throws(SystemError) {
    self.path = path
    target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    if path == "-" {
      descriptor = .standardOutput
      return
    }
    var permissions = FilePermissions(rawValue: 0o644)
    do {
      let there = try FileDescriptor.open(FilePath(path), .writeOnly, options: .closeOnExec)
      var status = cgs_file_status()
      guard cgs_descriptor_status(there.rawValue, &status) >= 0, status.mode & 0o170000 == 0o100000 else {
        descriptor = there
        return
      }
      permissions = FilePermissions(rawValue: CModeT(status.mode & 0o777))
      try there.close()
    } catch Errno.noSuchFileOrDirectory {
      // It will be new.
    } catch {
      throw Self.error("open", path, error)
    }
    let temporary = "\(target).\(cgs_process_id()).tmp"
    do {
      descriptor = try FileDescriptor.open(
        FilePath(temporary), .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: permissions)
    } catch {
      throw Self.error("create", temporary, error)
    }
    self.temporary = temporary
  }

  deinit {
    guard path != "-" else { return }
    try? descriptor.close()
    if let temporary { _ = cgs_unlink(temporary) }
  }

  /// Writes all of it, once.
  func write(_ text: String) throws(SystemError) {
    do {
      try descriptor.writeAll(text.utf8)
    } catch {
      throw Self.error("write", path, error)
    }
    guard let temporary else { return }
    let result = cgs_rename(temporary, target)
    guard result >= 0 else { throw SystemError("rename", on: path, result: result) }
    self.temporary = nil
  }

  private static func error(_ operation: String, _ path: String, _ error: any Error) -> SystemError {
    SystemError(operation: operation, subject: path, errno: error as? Errno ?? .ioError)
  }
}
