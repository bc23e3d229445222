internal import CGracefulSystem
internal import SystemPackage

/// The one seam between the stop files and the system, so that a test can make the n-th call fail.
///
/// Each call that has a number for a result returns a value >= 0, or `-errno`. None of them waits.
package struct StopFileCalls: Sendable {
  /// lstat(2); with a trailing `/.` it is the directory that a link leads to.
  package var status: @Sendable (_ path: String) -> StopFileLook
  /// The names in a directory that begin like this; none when it cannot be read.
  package var entries: @Sendable (_ directory: String, _ prefix: String) -> [String]
  package var mayChangeEntries: @Sendable (_ directory: String) -> Int32
  package var unlink: @Sendable (_ path: String) -> Int32
  /// open(2) of a file that is not there.
  package var create: @Sendable (_ path: String, _ mode: UInt32) -> Int32
  /// mknod(2) of an empty file that is not there, which takes no descriptor.
  package var makeFile: @Sendable (_ path: String, _ mode: UInt32) -> Int32
  package var write: @Sendable (_ descriptor: Int32, _ bytes: [UInt8]) -> Int
  package var rename: @Sendable (_ from: String, _ to: String) -> Int32
  /// The first 1,024 bytes of a file.
  package var read: @Sendable (_ path: String) -> [UInt8]?
  package var close: @Sendable (_ descriptor: Int32) -> Void
  package var pipe: @Sendable () throws(SystemError) -> WakePipe
  /// How changes of the directory are known.
  package var changes: DirectoryWatch.Calls
  package var openProcess: @Sendable (_ process: Int32) -> Int32
  package var startThread: @Sendable (_ name: String, _ body: @escaping @Sendable () -> Void) -> Int32
  package var wallClock: @Sendable () -> Int64

  package static let live = StopFileCalls(
    status: { path in StopFileLook { () throws(SystemError) in try FileStatus.read(at: path) } },
    entries: { directory, prefix in
      // So much is more than is ever left; the rest is for the next start.
      var count: Int32 = 0
      let bytes = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, initialized in
        count = cgs_entries(directory, prefix, buffer.baseAddress, buffer.count)
        initialized = Int(max(0, count))
      }
      return bytes.split(separator: 0).compactMap { String(validating: $0, as: UTF8.self) }
    },
    mayChangeEntries: { directory in cgs_may_change_entries(directory) },
    unlink: { path in cgs_unlink(path) },
    create: { path, mode in repeatingInterrupted { cgs_create_file(path, mode) } },
    makeFile: { path, mode in cgs_make_file(path, mode) },
    write: { descriptor, bytes in repeatingInterrupted { cgs_write(descriptor, bytes, bytes.count) } },
    rename: { from, to in cgs_rename(from, to) },
    read: { path in FileBeginning.read(path) },
    close: { descriptor in _ = cgs_close(descriptor) },
    pipe: { () throws(SystemError) in try WakePipe(for: "stop files") },
    changes: .live,
    openProcess: { process in cgs_pidfd_open(process) },
    startThread: { name, body in
      do throws(SystemError) {
        try SystemThread.start(name, body)
        return 0
      } catch {
        return -error.errno.rawValue
      }
    },
    wallClock: { cgs_wall_nanoseconds() })
}

extension StopFileLook {
  fileprivate init(_ read: () throws(SystemError) -> FileStatus) {
    do throws(SystemError) {
      self = .found(try read())
    } catch {
      self = error.errno == .noSuchFileOrDirectory ? .absent : .failed(error.errno.rawValue)
    }
  }
}
