internal import CGracefulSystem
package import GracefulDescriptors
internal import Synchronization
internal import SystemPackage

/// This process as the one that adopts what its descendants leave behind (prctl(2), `PR_SET_CHILD_SUBREAPER`).
///
/// A server that restarts itself starts its successor and ends; the successor would go to init and nobody would know how
/// it ended. Here it becomes our child and we reap it. The status of a ``ChildProcess`` is never taken. Children that
/// were started in other ways (Foundation's `Process`, a library's `fork`) must be named to ``leave(_:)``.
package final class Subreaper: Sendable {
  private struct State {
    var left: Set<ProcessID> = []
    var ended: [ProcessID: ExitStatus] = [:]
    var timer: PollLoop.TimerID?
    var stopped = false
  }

  private let loop: PollLoop
  private let interval: Duration
  private let orphanEnded: @Sendable (ProcessID, ExitStatus) -> Void
  private let state = Mutex(State())

  /// Makes this process a subreaper, for as long as it lives.
  ///
  /// - Parameters:
  ///   - loop: Where it looks.
  ///   - interval: How often it looks for orphans that have ended. A zombie waits that long, its status is not lost.
  ///   - orphanEnded: Called on the loop's thread for each orphan that was reaped.
  /// - Throws: `ENOSYS` where the system has no subreapers.
  package init(
    on loop: PollLoop, every interval: Duration = .milliseconds(100),
    orphanEnded: @escaping @Sendable (ProcessID, ExitStatus) -> Void = { _, _ in }
  ) throws(SystemError) {
    let result = cgs_become_subreaper()
    guard result >= 0 else {
      throw SystemError("prctl(PR_SET_CHILD_SUBREAPER)", on: "this process", result: result)
    }
    self.loop = loop
    self.interval = interval
    self.orphanEnded = orphanEnded
  }

  /// Begins to look.
  ///
  /// Call it once; nobody else may reap orphans then.
  package func start() {
    loop.execute { self.look() }
  }

  /// Ends the looking.
  ///
  /// What has not been reaped stays a zombie of ours.
  package func stop() {
    let timer = state.withLock { state in
      state.stopped = true
      return state.timer
    }
    if let timer { loop.cancel(timer) }
  }

  /// Never reaps this child: somebody else waits for it.
  package func leave(_ id: ProcessID) {
    state.withLock { _ = $0.left.insert(id) }
  }

  /// How an orphan ended that was reaped here, as far as numbers are not used twice.
  package func status(of id: ProcessID) -> ExitStatus? {
    state.withLock { $0.ended[id] }
  }

  /// What lives below this process now: children, their children, and what was adopted.
  ///
  /// No zombies.
  package func descendants() -> [ProcessEntry] {
    ProcessTable.descendants(of: .current, among: ProcessTable.all()).filter { !$0.isZombie }
  }

  /// Reaps each orphan that has ended.
  ///
  /// On any thread.
  package func reap() {
    for entry in ProcessTable.all() where entry.parent == .current && entry.isZombie {
      guard !state.withLock({ $0.left.contains(entry.id) }) else { continue }
      let status = ChildRegistry.unlessWaited(entry.id) { () -> ExitStatus? in
        var how = cgs_exit()
        guard cgs_reap(entry.id.rawValue, &how) >= 0, how.pid != 0 else { return nil }
        return ExitStatus(how)
      }
      guard let status else { continue }
      state.withLock { $0.ended[entry.id] = status }
      loop.execute { [orphanEnded] in orphanEnded(entry.id, status) }
    }
  }

  private func look() {
    guard !state.withLock({ $0.stopped }) else { return }
    reap()
    let timer = loop.schedule(at: .now + interval) { self.look() }
    state.withLock { $0.timer = timer }
  }
}
