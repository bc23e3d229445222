internal import GracefulDescriptors
internal import GracefulProcesses
internal import Synchronization
internal import SystemPackage

/// How this process starts its successor.
extension Handover {
  /// - Parameter exited: Called when it has ended, with its number and how.
  func spawn(_ exited: @escaping @Sendable (Int32, String) -> Void) -> Result<Int32, SystemError> {
    do throws(SystemError) {
      guard configuration.isServedByParent() else {
        return .success(try spawnChild(exited))
      }
      do throws(SystemError) {
        return .success(try spawnSibling(exited))
      } catch  where error.errno == .noFunction {
        return .success(try spawnChild(exited))
      }
    } catch {
      return .failure(error)
    }
  }

  private func spawnChild(_ exited: @escaping @Sendable (Int32, String) -> Void) throws(SystemError) -> Int32 {
    let child = try ChildProcess.spawn(successor, on: loop)
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
    var command = successor
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
