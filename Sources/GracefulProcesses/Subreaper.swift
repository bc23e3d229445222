internal import CGracefulSystem
package import GracefulDescriptors
internal import Synchronization
internal import SystemPackage

/// This process adopts what its descendants leave behind (prctl(2), `PR_SET_CHILD_SUBREAPER`).
///
/// A server that restarts itself starts its successor and ends; the successor would go to init and no process would know how
/// it ended. Here it becomes our child and we reap it.
///
/// The status of a child that is waited for is not taken: never that of a ``ChildProcess``; and of other children
/// only that of one which was seen below another process before, and so cannot have been started here, or which has been
/// dead for a while without being asked about (Foundation's `Process` and every `waitpid` ask at once). What a library may
/// leave unasked for longer is named to ``leave(_:)``.
package final class Subreaper: Sendable {
  private typealias Identity = ProcessEntry.Identity

  private struct State {
    /// Descendants that were seen below another process than this one, as long as they are in the table.
    var adopted: Set<Identity> = []
    /// Children that a thread of this process was seen to have started: that thread may end, and no other knows.
    var own: Set<Identity> = []
    /// Since when a child of unknown origin has been dead.
    var deadSince: [Identity: ContinuousClock.Instant] = [:]
    var left: Set<ProcessID> = []
    var ended: [ProcessID: ExitStatus] = [:]
    var timer: PollLoop.TimerID?
    var stopped = false
  }

  private let loop: PollLoop
  private let interval: Duration
  private let patience: @Sendable (Int) -> Duration
  private let isWatched: @Sendable () -> Set<ProcessID>
  private let isOwn: @Sendable () -> Set<ProcessID>
  private let orphanEnded: @Sendable (ProcessID, ExitStatus) -> Void
  private let state = Mutex(State())

  /// Makes this process a subreaper, for as long as it lives.
  ///
  /// - Parameters:
  ///   - loop: Where it looks.
  ///   - interval: How often it looks for orphans that have ended. A zombie waits that long, its status is not lost.
  ///   - patience: How long a dead child that may have been started here waits for a caller that asks.
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
    self.patience = { _ in patience }
    isWatched = { [] }
    isOwn = { [] }
    self.orphanEnded = orphanEnded
  }

  /// For process 1, which adopts orphans without asking for them.
  ///
  /// - Parameters:
  ///   - patience: The same, by how many dead children of unknown origin there are.
  ///   - isWatched: Children that other code of this process watches, and so asks about: they are never taken.
  ///   - isOwn: Children that were started here, as far as that can be seen now: they are never taken, either.
  package init(
    ofProcessOneOn loop: PollLoop, every interval: Duration, patience: @escaping @Sendable (Int) -> Duration,
    isWatched: @escaping @Sendable () -> Set<ProcessID>, isOwn: @escaping @Sendable () -> Set<ProcessID>
  ) {
    self.loop = loop
    self.interval = interval
    self.patience = patience
    self.isWatched = isWatched
    self.isOwn = isOwn
    orphanEnded = { _, _ in }
  }

  /// Begins to look.
  ///
  /// Call it once; no other code may reap orphans then.
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

  /// Never reaps this child: other code waits for it.
  package func leave(_ id: ProcessID) {
    state.withLock { _ = $0.left.insert(id) }
  }

  /// How an orphan ended that was reaped here, as far as numbers are not used twice.
  package func status(of id: ProcessID) -> ExitStatus? {
    state.withLock { $0.ended[id] }
  }

  /// The same, and forgets it: another process has the number now.
  package func takeStatus(of id: ProcessID) -> ExitStatus? {
    state.withLock { $0.ended.removeValue(forKey: id) }
  }

  /// What lives below this process now: children, their children, and what was adopted.
  ///
  /// No zombies.
  package func descendants() -> [ProcessEntry] {
    ProcessTable.descendants(of: .current, among: ProcessTable.all()).filter { !$0.isZombie }
  }

  /// Reaps each orphan that has ended, on any thread.
  package func reap() {
    var dead = cgs_exit()
    // ECHILD: there is no child at all, and nothing below one. To read the table is dear, and most have none.
    if cgs_peek_exited(&dead) == -Errno.noChildProcess.rawValue {
      return state.withLock { state in
        state.adopted = []
        state.own = []
        state.deadSince = [:]
      }
    }
    // Before the table is read: what is started in between is not in it, and has the next look.
    let own = isOwn()
    let all = ProcessTable.all()
    let eligible = eligible(all, own, at: .now)
    if eligible.isEmpty { return }
    let watched = isWatched()
    for entry in eligible where !watched.contains(entry.id) {
      let status = ChildRegistry.unlessWaited(entry.id) { () -> ExitStatus? in
        var how = cgs_exit()
        guard cgs_reap(entry.id.rawValue, &how) >= 0, how.pid != 0 else { return nil }
        return ExitStatus(how)
      }
      guard let status else { continue }
      state.withLock { state in
        // Process 1 may live for years, and never asks.
        if state.ended.count >= 4096 { state.ended = [:] }
        state.ended[entry.id] = status
      }
      loop.execute { [orphanEnded] in orphanEnded(entry.id, status) }
    }
  }

  private func eligible(
    _ all: [ProcessEntry], _ own: Set<ProcessID>, at now: ContinuousClock.Instant
  ) -> [ProcessEntry] {
    let below = ProcessTable.descendants(of: .current, among: all)
    return state.withLock { state in
      let present = Set(below.map(\.identity))
      state.adopted.formIntersection(present)
      state.own.formIntersection(present)
      state.own.formUnion(present.filter { own.contains($0.id) })
      state.deadSince = state.deadSince.filter { present.contains($0.key) }
      let patience = patience(state.deadSince.count)
      return below.filter { entry in
        let identity = entry.identity
        guard entry.parent == .current else {
          state.adopted.insert(identity)
          return false
        }
        guard entry.isZombie, !state.left.contains(entry.id), !state.own.contains(identity) else { return false }
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
