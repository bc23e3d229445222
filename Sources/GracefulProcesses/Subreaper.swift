internal import CGracefulSystem
package import GracefulDescriptors
internal import Synchronization
internal import SystemPackage

/// This process as the one that adopts what its descendants leave behind (prctl(2), `PR_SET_CHILD_SUBREAPER`).
///
/// A server that restarts itself starts its successor and ends; the successor would go to init and nobody would know how
/// it ended. Here it becomes our child and we reap it.
///
/// The status of a child that somebody waits for is not taken: never that of a ``ChildProcess``; and of other children
/// only that of one which was seen below another process before, and so cannot have been started here, or which has been
/// dead for a while without anybody's asking (Foundation's `Process` and every `waitpid` ask at once). What a library may
/// leave unasked for longer is named to ``leave(_:)``.
package final class Subreaper: Sendable {
  /// A process for ever: a number is used again, a number with its start is not.
  private struct Identity: Hashable {
    var id: ProcessID
    var started: UInt64
  }

  private struct State {
    /// Descendants that were seen below another process than this one, as long as they are in the table.
    var adopted: Set<Identity> = []
    /// Since when a child of unknown origin has been dead.
    var deadSince: [Identity: ContinuousClock.Instant] = [:]
    var left: Set<ProcessID> = []
    var ended: [ProcessID: ExitStatus] = [:]
    var timer: PollLoop.TimerID?
    var stopped = false
  }

  private let loop: PollLoop
  private let interval: Duration
  private let patience: Duration
  private let orphanEnded: @Sendable (ProcessID, ExitStatus) -> Void
  private let state = Mutex(State())

  /// Makes this process a subreaper, for as long as it lives.
  ///
  /// - Parameters:
  ///   - loop: Where it looks.
  ///   - interval: How often it looks for orphans that have ended. A zombie waits that long, its status is not lost.
  ///   - patience: How long a dead child that may have been started here waits for somebody who asks.
  ///   - orphanEnded: Called on the loop's thread for each orphan that was reaped.
  /// - Throws: `ENOSYS` where the system has no subreapers.
  package init(
    on loop: PollLoop, every interval: Duration = .milliseconds(100), patience: Duration = .seconds(1),
    orphanEnded: @escaping @Sendable (ProcessID, ExitStatus) -> Void = { _, _ in }
  ) throws(SystemError) {
    let result = cgs_become_subreaper()
    guard result >= 0 else {
      throw SystemError("prctl(PR_SET_CHILD_SUBREAPER)", on: "this process", result: result)
    }
    self.loop = loop
    self.interval = interval
    self.patience = patience
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

  /// Reaps each orphan that has ended, on any thread.
  package func reap() {
    let all = ProcessTable.all()
    for entry in eligible(all, at: .now) {
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

  private func eligible(_ all: [ProcessEntry], at now: ContinuousClock.Instant) -> [ProcessEntry] {
    let below = ProcessTable.descendants(of: .current, among: all)
    return state.withLock { state in
      let present = Set(below.map { Identity(id: $0.id, started: $0.started) })
      state.adopted.formIntersection(present)
      state.deadSince = state.deadSince.filter { present.contains($0.key) }
      return below.filter { entry in
        let identity = Identity(id: entry.id, started: entry.started)
        guard entry.parent == .current else {
          state.adopted.insert(identity)
          return false
        }
        guard entry.isZombie, !state.left.contains(entry.id) else { return false }
        if state.adopted.contains(identity) { return true }
        let since = state.deadSince[identity] ?? now
        state.deadSince[identity] = since
        return now - since >= patience
      }
    }
  }

  private func look() {
    guard !state.withLock({ $0.stopped }) else { return }
    reap()
    let timer = loop.schedule(at: .now + interval) { self.look() }
    state.withLock { $0.timer = timer }
  }
}
