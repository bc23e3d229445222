internal import CGracefulSystem
internal import GracefulDescriptors
internal import GracefulShutdown
internal import GracefulSystem
internal import SystemPackage

/// Where the report goes as JSON when the one who started the program wants it in a file.
///
/// It is written beside the file and renamed over it (rename(2)), so that nobody reads half a report. Where that cannot
/// be, it is written in place: a mount point cannot be renamed over (EBUSY), as Kubernetes' `/dev/termination-log` is one, and
/// nobody but root can make a file beside that. It is not synced to the disk: what ends here is a process, not the machine.
struct ReportFile: Sendable {
  /// In the environment, the path.
  static let variable = "GRACEFUL_REPORT_FILE"

  let path: FilePath

  init(path: FilePath) { self.path = path }

  /// As the environment of this process names it; `nil` when it names none.
  static func named() -> ReportFile? {
    // Byte by byte: a path need not be UTF-8.
    guard let bytes = EnvironmentVariables.bytes(of: variable), !bytes.isEmpty else { return nil }
    return ReportFile(path: FilePath(platformString: bytes.map { CChar(bitPattern: $0) } + [0]))
  }

  /// - Returns: What went wrong.
  func keep(_ report: LifecycleReport) -> String? {
    do throws(SystemError) {
      try write(report.json())
      return nil
    } catch {
      return error.description
    }
  }

  /// Takes away what an earlier run has left, and leaves the file, with its permissions.
  ///
  /// - Returns: What went wrong; no file is what should be.
  func empty() -> String? {
    do throws(SystemError) {
      guard try permissionsOfTarget() != nil else { return nil }
      try writeInPlace("")
      return nil
    } catch {
      return error.description
    }
  }

  /// - Throws: `EISDIR` for a directory, `ELOOP` for a symbolic link, `EINVAL` for a pipe, a device or a socket: to rename
  ///   something over `/dev/stderr` or `/dev/null` would take it from everybody. And what open(2), write(2) and rename(2)
  ///   say: no such folder, no permission, no space.
  ///
  /// - Parameters:
  ///   - put: Writes all of it to the file; another one is for tests of a disk that is full.
  ///   - rename: Another one is for tests of a mount point.
  func write(
    _ json: String, put: (FileDescriptor, String) throws -> Void = { _ = try $0.writeAll($1.utf8) },
    rename: (FilePath, FilePath) -> CInt = Self.rename
  ) throws(SystemError) {
    let permissions = try permissionsOfTarget()
    let temporary = FilePath("\(path).\(cgs_process_id()).tmp")
    // Left by one that was killed, with the same number: in a container it is always 1.
    _ = temporary.withPlatformString { cgs_unlink($0) }
    let file: FileDescriptor
    do {
      file = try FileDescriptor.open(
        temporary, .writeOnly, options: [.create, .exclusiveCreate, .noFollow, .closeOnExec],
        permissions: permissions ?? FilePermissions(rawValue: 0o644))
    } catch {
      let error = failure("open", temporary, error)
      let isClosed = [.permissionDenied, .notPermitted, .readOnlyFileSystem].contains(error.errno)
      if permissions != nil, isClosed { return try writeInPlace(json, put: put) }
      throw error
    }
    do {
      try file.closeAfter { try put(file, json) }
    } catch {
      _ = temporary.withPlatformString { cgs_unlink($0) }
      throw failure("write", temporary, error)
    }
    let result = rename(temporary, path)
    guard result < 0 else { return }
    _ = temporary.withPlatformString { cgs_unlink($0) }
    if -result == Errno.resourceBusy.rawValue { return try writeInPlace(json, put: put) }
    throw SystemError("rename", on: path.string, result: result)
  }

  /// Whoever reads meanwhile, may find half of it.
  private func writeInPlace(
    _ json: String, put: (FileDescriptor, String) throws -> Void = { _ = try $0.writeAll($1.utf8) }
  ) throws(SystemError) {
    let file: FileDescriptor
    do {
      // Non-blocking: what was a regular file a moment ago may be a pipe that nobody reads.
      file = try FileDescriptor.open(path, .writeOnly, options: [.truncate, .noFollow, .nonBlocking, .closeOnExec])
    } catch {
      throw failure("open", path, error)
    }
    do {
      try file.closeAfter { if !json.isEmpty { try put(file, json) } }
    } catch {
      throw failure("write", path, error)
    }
  }

  private static func rename(_ from: FilePath, _ to: FilePath) -> CInt {
    from.withPlatformString { from in to.withPlatformString { cgs_rename(from, $0) } }
  }

  /// `nil` when there is none yet.
  private func permissionsOfTarget() throws(SystemError) -> FilePermissions? {
    var status = cgs_file_status()
    let result = path.withPlatformString { cgs_link_status($0, &status) }
    guard result >= 0 else {
      let reason = Errno(rawValue: -result)
      if reason == .noSuchFileOrDirectory { return nil }
      throw SystemError("lstat", on: path.string, result: result)
    }
    // inode(7)
    switch status.mode & 0o170000 {
    case 0o100000: return FilePermissions(rawValue: CModeT(status.mode & 0o777))
    case 0o040000: throw refusal(.isDirectory)
    case 0o120000: throw refusal(.tooManySymbolicLinkLevels)
    default: throw refusal(.invalidArgument)
    }
  }

  private func refusal(_ errno: Errno) -> SystemError {
    SystemError(
      operation: "replace", subject: path.string, errno: errno,
      advice: "name a regular file, or one that does not exist yet")
  }

  private func failure(_ operation: String, _ path: FilePath, _ error: any Error) -> SystemError {
    SystemError(operation: operation, subject: path.string, errno: error as? Errno ?? .ioError)
  }
}
