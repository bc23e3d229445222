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
  ///
  /// Where that name is taken for good, by another user in a sticky directory, it has one more part, by chance.
  /// - Parameters:
  ///   - target: Where it goes; its directory must be one in which this user may make files.
  ///   - permissions: 0644 by default, less what the umask takes.
  /// - Throws: What open(2) says: `ENOENT` without the directory, `EACCES` without the permission.
  package init(
    replacing target: FilePath, permissions: FilePermissions = FilePermissions(rawValue: 0o644)
  ) throws(SystemError) {
    self.target = target
    let first = FilePath("\(target).\(cgs_process_id()).tmp")
    // In a container the number is always 1.
    _ = first.withPlatformString { cgs_unlink($0) }
    do {
      (temporary, file) = try Self.create(first, of: target, permissions)
    } catch {
      throw SystemError("open", on: first, error)
    }
  }

  private static func create(
    _ first: FilePath, of target: FilePath, _ permissions: FilePermissions
  ) throws -> (FilePath, FileDescriptor) {
    var path = first
    for _ in 0..<mostNames {
      do {
        return (
          path,
          try FileDescriptor.open(
            path, .writeOnly, options: [.create, .exclusiveCreate, .noFollow, .closeOnExec], permissions: permissions)
        )
      } catch Errno.fileExists {
        path = FilePath("\(target).\(cgs_process_id()).\(String(UInt64.random(in: 0 ... .max), radix: 36)).tmp")
      }
    }
    throw Errno.fileExists
  }

  /// A user who could guess so many does not need to.
  private static var mostNames: Int { 8 }

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
