internal import GracefulDescriptors
internal import Synchronization

/// The children of this process whose exit status is waited for.
///
/// A subreaper reaps what it finds dead among its children. Two races are closed by holding this lock across both
/// steps: between the spawn of a child and its entry here (the subreaper would see an unknown dead child and take its
/// status), and between the subreaper's look at this set and its reaping.
enum ChildRegistry {
  private static let waited = Mutex<Set<ProcessID>>([])

  static func entering(_ spawn: () throws(SystemError) -> ProcessID) throws(SystemError) -> ProcessID {
    let result = waited.withLock { set -> Result<ProcessID, SystemError> in
      do throws(SystemError) {
        let id = try spawn()
        set.insert(id)
        return .success(id)
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// Performs the one reaping of a child and forgets it, in one step: the number may be given away at once.
  static func leaving(_ id: ProcessID, _ reap: () -> ExitStatus?) -> ExitStatus? {
    waited.withLock { set in
      let status = reap()
      if status != nil { set.remove(id) }
      return status
    }
  }

  /// Performs `reap` unless this child is waited for.
  static func unlessWaited(_ id: ProcessID, _ reap: () -> ExitStatus?) -> ExitStatus? {
    waited.withLock { set in set.contains(id) ? nil : reap() }
  }
}
