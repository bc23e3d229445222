internal import CGracefulSystem
internal import GracefulDescriptors
internal import GracefulShutdown
internal import SystemPackage

/// Where the report goes as JSON when whoever started the program wants it in a file.
///
/// It is written beside the file and renamed over it (rename(2)), so that nobody reads half a report, and an earlier one
/// stays until the new one is whole. It is not synced to the disk: what ends here is a process, not the machine.
struct ReportFile: Sendable {
  /// In the environment, the path.
  static let variable = "GRACEFUL_REPORT_FILE"

  let path: FilePath

  init(path: FilePath) { self.path = path }

  /// As the environment of this process names it; `nil` when it names none.
  static func named() -> ReportFile? {
    var entries = cgs_environment()
    while let entry = entries?.pointee {
      // Byte by byte: a path need not be UTF-8.
      if variable.utf8.enumerated().allSatisfy({ UInt8(bitPattern: entry[$0.offset]) == $0.element }),
        entry[variable.utf8.count] == CChar(bitPattern: UInt8(ascii: "="))
      {
        let path = FilePath(platformString: entry + variable.utf8.count + 1)
        return path.isEmpty ? nil : ReportFile(path: path)
      }
      entries = entries?.successor()
    }
    return nil
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

  /// - Throws: `EISDIR` for a directory, `ELOOP` for a symbolic link, `EINVAL` for a pipe, a device or a socket: to rename
  ///   something over `/dev/stderr` or `/dev/null` would take it from everybody. And what open(2), write(2) and rename(2)
  ///   say: no such folder, no permission, no space.
  ///
  /// - Parameter put: Writes all of it to the file; another one is for tests of a disk that is full.
  func write(
    _ json: String, put: (FileDescriptor, String) throws -> Void = { _ = try $0.writeAll($1.utf8) }
  ) throws(SystemError) {
    let permissions = try permissionsOfTarget()
    let temporary = FilePath("\(path).\(cgs_process_id()).tmp")
    // Left by one that was killed, with the same number: in a container it is always 1.
    _ = temporary.withPlatformString { cgs_unlink($0) }
    let file: FileDescriptor
    do {
      file = try FileDescriptor.open(
        temporary, .writeOnly, options: [.create, .exclusiveCreate, .noFollow, .closeOnExec], permissions: permissions)
    } catch {
      throw failure("open", temporary, error)
    }
    do {
      try file.closeAfter { try put(file, json) }
    } catch {
      _ = temporary.withPlatformString { cgs_unlink($0) }
      throw failure("write", temporary, error)
    }
    let result = temporary.withPlatformString { from in path.withPlatformString { cgs_rename(from, $0) } }
    if result < 0 {
      _ = temporary.withPlatformString { cgs_unlink($0) }
      throw SystemError("rename", on: path.string, result: result)
    }
  }

  private func permissionsOfTarget() throws(SystemError) -> FilePermissions {
    var status = cgs_file_status()
    let result = path.withPlatformString { cgs_link_status($0, &status) }
    guard result >= 0 else {
      let reason = Errno(rawValue: -result)
      if reason == .noSuchFileOrDirectory { return FilePermissions(rawValue: 0o644) }
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
