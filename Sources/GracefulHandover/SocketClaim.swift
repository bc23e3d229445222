package import GracefulDescriptors
internal import GracefulSystem
internal import SystemPackage

/// First or successor: the decision of two processes that may start at once.
///
/// It is made under `flock` on `PATH.lock`, and takes microseconds: the process that has the lock connects to the
/// path, or binds it when no process answers there. The lock file stays, because removing it would let two processes lock two
/// different files of one name; where a cleaner of `/tmp` removes it, a lock that has lost its name is none.
package struct SocketClaim {
  package let path: SocketPath
  let calls: SocketCalls

  package init(path: SocketPath, calls: SocketCalls) {
    self.path = path
    self.calls = calls
  }

  /// How many may wait to be asked what they want.
  static let backlog: Int32 = 64

  package enum Outcome {
    /// No process answered there; the path is ours.
    case bound(SharedDescriptor, BoundPath)
    /// Another process listens there.
    case connected(SharedDescriptor)
    /// Ask again in a moment.
    case later(reason: String)
  }

  package func attempt() throws(HandoverError) -> Outcome {
    guard let lock = try lock() else { return .later(reason: "another process is deciding who is first") }
    // Held until the decision has been made, and by nothing but this scope.
    defer { withExtendedLifetime(lock) {} }
    let found: FileStatus?
    do { found = try path.check(calls: calls) } catch { throw HandoverError(error, socket: path.path) }
    if found != nil {
      let socket = try newSocket()
      let connected = calls.connect(socket.number, path.path)
      if connected >= 0 { return .connected(socket) }
      switch Errno(rawValue: -connected) {
      case .connectionRefused:
        // Its process has died; a live one never refuses.
        let unlinked = calls.unlink(path.path)
        guard unlinked >= 0 || Errno(rawValue: -unlinked) == .noSuchFileOrDirectory else {
          throw HandoverError(
            SystemError(
              operation: "unlink", subject: path.path, errno: Errno(rawValue: -unlinked),
              advice: "it is left over from a process that has ended; remove it, or choose another path"),
            socket: path.path)
        }
      case .noSuchFileOrDirectory: break
      case .wouldBlock, .resourceTemporarilyUnavailable: return .later(reason: "too many ask at \(path) at once")
      case let errno:
        throw HandoverError(
          SystemError(
            operation: "connect", subject: path.path, errno: errno,
            advice: "something of another kind is at that path; choose another one"), socket: path.path)
      }
    }
    return try bind()
  }

  /// Removes the path if it is still what was bound, and no other process has taken it since.
  package func remove(_ bound: BoundPath) {
    guard let lock = lockInAMoment() else { return }
    defer { withExtendedLifetime(lock) {} }
    if isInPlace(bound) == true { _ = calls.unlink(path.path) }
  }

  /// Whether the path leads to what was bound; `nil` when that cannot be seen.
  package func isInPlace(_ bound: BoundPath) -> Bool? {
    switch calls.status(path.path) {
    case .success(let now): bound.isStill(now)
    case .failure(let error):
      [.noSuchFileOrDirectory, .notDirectory].contains(error.errno) ? false : nil
    }
  }

  /// Another process holds it for microseconds only; the thread of a handover waits no longer than that.
  private func lockInAMoment() -> SharedDescriptor? {
    for _ in 0..<10 {
      if let lock = try? lock() { return lock }
      PollTimeout.pause(.milliseconds(1))
    }
    return nil
  }

  private func lock() throws(HandoverError) -> SharedDescriptor? {
    // The directory and the path are looked at first: a lock file in a foreign place is of no use.
    do { _ = try path.check(calls: calls) } catch { throw HandoverError(error, socket: path.path) }
    let outcome = FileLock.take(
      path.lockPath,
      calls: FileLock.Calls(
        open: calls.openPrivate, status: calls.descriptorStatus, pathStatus: calls.status, tryLock: calls.tryLock))
    switch outcome {
    case .ours(let descriptor):
      return SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: descriptor)))
    case .held: return nil
    case .foreign(let status):
      let what = status.kind == .file ? "belongs to user \(status.user)" : "is no regular file"
      throw HandoverError(
        .path, socket: path.path,
        reason: "\(path.lockPath) \(what); the lock beside the socket must be a file of our own")
    case .failed(var error):
      if error.operation == "open" { error.advice = "the lock beside the socket must be a file of our own" }
      throw HandoverError(error, socket: path.path)
    }
  }

  private func bind() throws(HandoverError) -> Outcome {
    let socket = try newSocket()
    let bound = calls.bind(socket.number, path.path)
    guard bound >= 0 else {
      let errno = Errno(rawValue: -bound)
      if errno == .addressInUse { return .later(reason: "another process has just bound \(path)") }
      throw HandoverError(SystemError(operation: "bind", subject: path.path, errno: errno), socket: path.path)
    }
    let listening = calls.listen(socket.number, Self.backlog)
    guard listening >= 0 else {
      _ = calls.unlink(path.path)
      throw HandoverError(
        SystemError(operation: "listen", subject: path.path, errno: Errno(rawValue: -listening)), socket: path.path)
    }
    switch calls.status(path.path) {
    case .success(let status): return .bound(socket, BoundPath(status).held(at: path, calls: calls))
    case .failure(let error):
      _ = calls.unlink(path.path)
      throw HandoverError(error, socket: path.path)
    }
  }

  func newSocket() throws(HandoverError) -> SharedDescriptor {
    let number = calls.unixSocket()
    guard number >= 0 else {
      throw HandoverError(
        SystemError(operation: "socket(AF_UNIX)", subject: path.path, errno: Errno(rawValue: -number)),
        socket: path.path)
    }
    return SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: number)))
  }
}
