internal import GracefulDescriptors
internal import GracefulProcesses
internal import Synchronization
internal import SystemPackage

/// How this process starts its successor.
extension Handover {
  /// Starts a successor of this process, which takes over when it is ready.
  ///
  /// What comes of it is told as events.
  ///
  /// It is a child of this process; of systemd, where that has started this process: `NOTIFY_SOCKET` is set, and the parent
  /// of this process is process 1 or the user's manager (`MANAGERPID`). Then it is not told how one ended that failed.
  ///
  /// A second call while a handover is going on becomes part of it.
  public func restart() {
    // The loop may have ended by then, and would drop the question.
    if state.withLock({ $0.hasLeft }) {
      return configuration.onEvent(.restartFailed(reason: "this process is about to end"))
    }
    loop.execute {
      guard let driver = self.driver else {
        return self.configuration.onEvent(.restartFailed(reason: "this process does not serve yet"))
      }
      driver.receive(.restartRequested)
    }
  }

  /// - Parameter exited: Called when it has ended, with its number and how.
  func spawn(_ exited: @escaping @Sendable (Int32, String) -> Void) -> Result<Int32, SystemError> {
    let first = spawnOnce(exited)
    guard case .failure(let error) = first, [.tooManyOpenFiles, .tooManyOpenFilesInSystem].contains(error.errno) else {
      return first
    }
    // A successor is what helps then.
    DescriptorReserve.shared.lend(4, until: loop)
    return spawnOnce(exited)
  }

  private func spawnOnce(_ exited: @escaping @Sendable (Int32, String) -> Void) -> Result<Int32, SystemError> {
    do throws(SystemError) {
      guard configuration.isServedByParent() else { return .success(try spawnChild(exited)) }
      do throws(SystemError) {
        return .success(try spawnSibling(exited))
      } catch {
        // A system that cannot do it: a stop by systemd will not wait, but there is a restart.
        guard error.errno == .noFunction else { throw error }
        return .success(try spawnChild(exited))
      }
    } catch {
      return .failure(error)
    }
  }

  private func spawnChild(_ exited: @escaping @Sendable (Int32, String) -> Void) throws(SystemError) -> Int32 {
    let given = GivenSocket(state.withLock { $0.bound }, at: claim.path)
    let child = try ChildProcess.spawn(given.passed(by: successor), on: loop)
    let process = child.id.rawValue
    state.withLock { $0.children[process] = { child.signal($0) } }
    child.whenEnded { [weak self] status in
      self?.state.withLock { _ = $0.children.removeValue(forKey: process) }
      exited(process, "\(status)")
    }
    return process
  }

  /// On the loop's thread: so its end is not told before it is entered here.
  private func spawnSibling(_ exited: @escaping @Sendable (Int32, String) -> Void) throws(SystemError) -> Int32 {
    let given = GivenSocket(state.withLock { $0.bound }, at: claim.path)
    var command = given.passed(by: successor)
    command.environment[ServiceManager.startedVariable] = nil
    let sibling = try SiblingProcess.spawn(command, on: loop) { [weak self] process in
      self?.state.withLock { _ = $0.children.removeValue(forKey: process.rawValue) }
      exited(process.rawValue, "how, only its parent knows, the service manager")
    }
    let process = sibling.id.rawValue
    state.withLock { $0.children[process] = { sibling.signal($0) } }
    return process
  }
}
