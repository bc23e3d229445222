internal import CGracefulSystem
package import SystemPackage

/// A file that is replaced at once: written beside its place, and renamed over it (rename(2)).
///
/// A reader finds the old content or the new one, never half of it. It is not synced to the disk: it outlives the process,
/// not the machine.
package struct AtomicFile: ~Copyable {
  /// rename(2), or a stand-in for it in a test; `-errno` when it failed.
  package typealias Rename = (_ from: FilePath, _ to: FilePath) -> CInt

  private let target: FilePath
  private let temporary: FilePath
  private let file: FileDescriptor
  private var isOpen = true
  private var isInPlace = false

  /// Makes the file beside its place: `TARGET.PID.tmp`, in place of what a process that was killed may have left there.
  /// - Parameters:
  ///   - target: Where it goes; its directory must be one in which this user may make files.
  ///   - permissions: 0644 by default, less what the umask takes.
  /// - Throws: What open(2) says: `ENOENT` without the directory, `EACCES` without the permission.
  package init(
    replacing target: FilePath, permissions: FilePermissions = FilePermissions(rawValue: 0o644)
  ) throws(SystemError) {
    self.target = target
    temporary = FilePath("\(target).\(cgs_process_id()).tmp")
    // In a container the number is always 1.
    _ = temporary.withPlatformString { cgs_unlink($0) }
    do {
      file = try FileDescriptor.open(
        temporary, .writeOnly, options: [.create, .exclusiveCreate, .noFollow, .closeOnExec], permissions: permissions)
    } catch {
      throw SystemError("open", on: temporary, error)
    }
  }

  deinit {
    if isOpen { try? file.close() }
    if !isInPlace { _ = temporary.withPlatformString { cgs_unlink($0) } }
  }

  /// Writes it, and puts the file in its place.
  ///
  /// Without this the file beside is removed when the value goes, and what was in place stays.
  /// - Parameters:
  ///   - rename: Another one is for tests of a mount point.
  ///   - put: Writes all of it.
  /// - Throws: What write(2) and rename(2) say; `EBUSY` where the target is a mount point. The old content is there then.
  package consuming func write(
    rename: Rename = AtomicFile.rename, _ put: (FileDescriptor) throws -> Void
  ) throws(SystemError) {
    isOpen = false
    do { try file.closeAfter { try put(file) } } catch { throw SystemError("write", on: temporary, error) }
    let result = rename(temporary, target)
    guard result >= 0 else { throw SystemError("rename", on: target.string, result: result) }
    isInPlace = true
  }

  package static func rename(_ from: FilePath, _ to: FilePath) -> CInt {
    from.withPlatformString { from in to.withPlatformString { cgs_rename(from, $0) } }
  }
}

extension SystemError {
  /// From what a call of SystemPackage threw.
  package init(_ operation: String, on path: FilePath, _ error: any Error) {
    self.init(operation: operation, subject: path.string, errno: error as? Errno ?? .ioError)
  }
}
