internal import GracefulShutdown
internal import GracefulSystem
internal import SystemPackage

/// Where the report goes as JSON when the environment asks for it in a file.
///
/// It is written beside the file and renamed over it (rename(2)), so that no reader finds half a report. Where that cannot
/// be, it is written in place: a mount point cannot be renamed over (EBUSY), as Kubernetes' `/dev/termination-log` is one, and
/// only root can make a file beside that. It is not synced to the disk: what ends here is a process, not the machine.
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
  /// Where the file has other names, they keep what they have: this name gets an empty file of its own.
  /// - Returns: What went wrong; no file is what should be.
  func empty() -> String? {
    do throws(SystemError) {
      guard let status = try statusOfTarget() else { return nil }
      if status.links > 1 { try write("") } else { try writeInPlace("") }
      return nil
    } catch {
      return error.description
    }
  }

  /// - Throws: `EISDIR` for a directory, `ELOOP` for a symbolic link, `EINVAL` for a pipe, a device or a socket: to rename
  ///   something over `/dev/stderr` or `/dev/null` would take it from every process. And what open(2), write(2) and rename(2)
  ///   say: no such folder, no permission, no space.
  ///
  /// - Parameters:
  ///   - put: Writes all of it to the file; another one is for tests of a disk that is full.
  ///   - rename: Another one is for tests of a mount point.
  func write(
    _ json: String, put: (FileDescriptor, String) throws -> Void = { _ = try $0.writeAll($1.utf8) },
    rename: AtomicFile.Rename = AtomicFile.rename
  ) throws(SystemError) {
    let permissions = try statusOfTarget().map { FilePermissions(rawValue: CModeT($0.permissions & 0o777)) }
    let file: AtomicFile
    do {
      file = try AtomicFile(replacing: path, permissions: permissions ?? FilePermissions(rawValue: 0o644))
    } catch {
      let isClosed = [.permissionDenied, .notPermitted, .readOnlyFileSystem].contains(error.errno)
      if permissions != nil, isClosed { return try writeInPlace(json, put: put) }
      throw error
    }
    do {
      try file.write(rename: rename) { try put($0, json) }
    } catch {
      if error.operation == "rename", error.errno == .resourceBusy { return try writeInPlace(json, put: put) }
      throw error
    }
  }

  /// A reader that comes meanwhile may find half of it.
  private func writeInPlace(
    _ json: String, put: (FileDescriptor, String) throws -> Void = { _ = try $0.writeAll($1.utf8) }
  ) throws(SystemError) {
    let file: FileDescriptor
    do {
      // Non-blocking: what was a regular file a moment ago may be a pipe that is not read.
      file = try FileDescriptor.open(path, .writeOnly, options: [.noFollow, .nonBlocking, .closeOnExec])
    } catch {
      throw SystemError("open", on: path, error)
    }
    do {
      try file.closeAfter {
        // Looked at before anything of it is lost: another user may have made this name of any file of ours.
        let status = try FileStatus.read(of: file.rawValue)
        guard status.kind == .file, status.links <= 1 else { throw Errno.tooManyLinks }
        try file.resize(to: 0)
        if !json.isEmpty { try put(file, json) }
      }
    } catch {
      throw SystemError("write", on: path, error)
    }
  }

  /// `nil` when there is none yet.
  private func statusOfTarget() throws(SystemError) -> FileStatus? {
    let status: FileStatus
    do {
      status = try FileStatus.read(at: path)
    } catch {
      if error.errno == .noSuchFileOrDirectory { return nil }
      throw error
    }
    switch status.kind {
    case .file: return status
    case .directory: throw refusal(.isDirectory)
    case .link: throw refusal(.tooManySymbolicLinkLevels)
    case .pipe, .socket, .device: throw refusal(.invalidArgument)
    }
  }

  private func refusal(_ errno: Errno) -> SystemError {
    SystemError(
      operation: "replace", subject: path.string, errno: errno,
      advice: "name a regular file, or one that does not exist yet")
  }
}
