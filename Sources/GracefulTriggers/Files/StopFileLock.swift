internal import GracefulSystem
internal import SystemPackage

/// Whose the stop files are: the process that holds `process.stop.lock` beside them takes requests and gives answers.
///
/// A predecessor holds it until its successor has taken over, and the system lets go of it for a process that dies: so
/// two that are there at the same time never both answer (flock(2)). It is removed with the last word; the file that a
/// killed process has left is locked again by the next process.
struct StopFileLock: Hashable, Sendable {
  enum Outcome: Equatable, Sendable {
    case ours(StopFileLock)
    /// Another process, or another lifecycle of this one, answers.
    case held
    case failed(Int32)
  }

  let path: String
  let descriptor: Int32

  static func take(_ path: String, calls: StopFileCalls) -> Outcome {
    // Another process may remove it between the opening and the locking: then another file is to be locked.
    for _ in 0..<10 {
      switch FileLock.take(path) {
      case .held: return .held
      case .foreign: return .failed(Errno.permissionDenied.rawValue)
      case .failed(let error): return .failed(error.errno.rawValue)
      case .ours(let descriptor):
        let lock = StopFileLock(path: path, descriptor: descriptor)
        if lock.isThere(calls) { return .ours(lock) }
        calls.close(descriptor)
      }
    }
    return .held
  }

  /// Whether it is the file that others find.
  func isThere(_ calls: StopFileCalls) -> Bool {
    guard case .found(let named) = calls.status(path), let own = try? FileStatus.read(of: descriptor) else {
      return false
    }
    return named.identity == own.identity
  }

  /// Removes it, while it is held: a process that opened it before sees that it is gone.
  func release(_ calls: StopFileCalls) {
    if isThere(calls) { _ = calls.unlink(path) }
    calls.close(descriptor)
  }
}
