internal import CGracefulSystem
internal import SystemPackage

/// A lock between processes: flock(2) on a file of our own beside what it guards.
///
/// The system lets go of it for a process that dies, or closes the descriptor.
package enum FileLock {
  /// The seam to the system, so that a test can make a call fail: each number is a value >= 0, or `-errno`.
  package struct Calls: Sendable {
    /// open(2) of a file for this user alone, which is made when it is not there.
    package var open: @Sendable (_ path: String) -> Int32
    package var status: @Sendable (_ descriptor: Int32) -> Result<FileStatus, SystemError>
    /// lstat(2).
    package var pathStatus: @Sendable (_ path: String) -> Result<FileStatus, SystemError>
    /// flock(2), exclusive, without waiting.
    package var tryLock: @Sendable (_ descriptor: Int32) -> Int32

    package init(
      open: @escaping @Sendable (_ path: String) -> Int32,
      status: @escaping @Sendable (_ descriptor: Int32) -> Result<FileStatus, SystemError>,
      pathStatus: @escaping @Sendable (_ path: String) -> Result<FileStatus, SystemError>,
      tryLock: @escaping @Sendable (_ descriptor: Int32) -> Int32
    ) {
      self.open = open
      self.status = status
      self.pathStatus = pathStatus
      self.tryLock = tryLock
    }

    package static let live = Calls(
      open: { path in repeatingInterrupted { cgs_open_private(path) } },
      status: { descriptor in Result { () throws(SystemError) in try FileStatus.read(of: descriptor) } },
      pathStatus: { path in Result { () throws(SystemError) in try FileStatus.read(at: path) } },
      tryLock: { descriptor in repeatingInterrupted { cgs_try_lock(descriptor) } })
  }

  package enum Outcome: Equatable, Sendable {
    /// Held for as long as the descriptor, the caller's now, is open.
    case ours(descriptor: Int32)
    case held
    /// No regular file of this user's or root's: in /tmp another user could make one before us, and hold it for ever.
    case foreign(FileStatus)
    case failed(SystemError)
  }

  package static func take(_ path: String, calls: Calls = .live) -> Outcome {
    let descriptor = calls.open(path)
    guard descriptor >= 0 else { return .failed(SystemError("open", on: path, result: descriptor)) }
    let outcome = take(descriptor, path, calls)
    if outcome != .ours(descriptor: descriptor) { _ = cgs_close(descriptor) }
    return outcome
  }

  private static func take(_ descriptor: Int32, _ path: String, _ calls: Calls) -> Outcome {
    let file: FileStatus.Identity
    switch calls.status(descriptor) {
    case .failure(let error): return .failed(error)
    case .success(let status):
      file = status.identity
      // With a second name it may be any file of ours, that another user would have us lock.
      guard status.kind == .file, status.links <= 1, status.user == cgs_effective_user() || status.user == 0 else {
        return .foreign(status)
      }
    }
    let locked = calls.tryLock(descriptor)
    if locked >= 0 {
      // A cleaner of /tmp may have removed the file meanwhile, and another process made and locked one of the same name:
      // two locks then, that exclude nothing. The next attempt opens the file that has the name now.
      if case .success(let now) = calls.pathStatus(path), now.identity == file { return .ours(descriptor: descriptor) }
      return .held
    }
    let error = SystemError("flock", on: path, result: locked)
    return [.wouldBlock, .resourceTemporarilyUnavailable].contains(error.errno) ? .held : .failed(error)
  }
}
