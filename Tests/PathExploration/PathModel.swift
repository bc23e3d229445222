import GracefulShutdown

/// What is known from the events and the actions alone, and the promises that must hold at each action.
struct PathModel: Hashable {
  typealias Machine = LifecycleStateMachine
  typealias Instant = LifecycleStateMachine.Instant

  struct Breach: Error, CustomStringConvertible {
    var description: String
  }

  var begun: FewPhases = []
  var everBegun: FewPhases = []
  var ready: FewPhases = []
  /// In any of its runs.
  var everReady: FewPhases = []
  var heard: FewPhases = []
  var drained: FewPhases = []
  var empty: FewPhases = []
  var turned: FewPhases = []
  var cut: FewPhases = []
  var cancelled: FewPhases = []
  /// The body came back.
  var cameBack: FewPhases = []
  /// It said that it had to cut work.
  var cutItself: FewPhases = []
  /// Ended, or abandoned.
  var gone: FewPhases = []
  /// Child to parent: there is at most one child.
  var parents: [Int: Int] = [:]
  /// They came back by themselves, and wait to be started again.
  var backingOff: FewPhases = []
  /// How often each was started again, and how often it may be.
  var restarts: [Int: Int] = [:]
  /// They were started again, and were not ready in time: what requires them has lost them before.
  var slow: FewPhases = []
  /// They failed as they were stopped to be started again, which counts once they are; and how often they were.
  var failedForAnother: FewPhases = []
  var restartsAfterThat: [Int: Int] = [:]
  /// When each began that has never been ready.
  var begunAt: [Int: Instant] = [:]
  /// The start limits.
  var startLimits: [Int: Duration] = [:]
  /// Empty when none is started again.
  var most: [Int: Int] = [:]
  /// Threw, or was not ready in time.
  var failed: FewPhases = []
  /// Stopped alone, not to be started again.
  var stoppedAlone: FewPhases = []
  /// The call that stopped it alone did not want to wait, or its time was over when it was to be started again.
  var hurried: FewPhases = []
  /// Cancelled or abandoned because its time was over.
  var late: FewPhases = []
  /// Those that had to end work when they were stopped to be started again.
  var cutForAnother: FewPhases = []
  /// The same of a child before the stop, which is the matter of the task that opened it, unless it ends after that.
  var lateBefore: FewPhases = []
  /// SIGTERM so far.
  var signals = 0
  var stopped = false
  /// Some phase was stopped alone.
  var alone = false
  var exiting = false
  var finished = false
  var wake: Instant?
  /// While it lasts, no phase is told to drain but what is stopped alone.
  var lameUntil: Instant?
  /// It ends for a reason that must be there.
  var lameSince: Instant?
  /// A body of the graph has failed since.
  var failedWhileLame = false
  var wasLame = false
  /// When to look at the sessions, and how many there were then.
  var look: Instant?
  var admitted: UInt64 = 0
  var latest: Instant?

  /// Those that are inside a phase hold its gate.
  func childrenInside(_ id: Int) -> [Int] { parents.filter { $0.value == id && !cameBack.contains($0.key) }.map(\.key) }

  func isLive(_ id: Int) -> Bool { begun.contains(id) && !gone.contains(id) }

  /// All that require it, however far.
  static func dependents(of id: Int, in requires: [[Int]]) -> FewPhases {
    var found: FewPhases = []
    var open = [id]
    while let next = open.popLast() {
      for other in requires.indices where requires[other].contains(next) && found.insert(other) {
        open.append(other)
      }
    }
    return found
  }

  /// Before the machine is told.
  ///
  /// - Parameter policies: Of those that are not simply started once.
  mutating func note(
    _ event: Machine.Event, requires: [[Int]], policies: [Int: RestartPolicy] = [:], grace: Duration, at time: Instant
  ) {
    switch event {
    case .ready(let id):
      ready.insert(id)
      noteReady(id)
    case .ended(let id, let outcome):
      if outcome == .returned { noteReturnTooSoon(id, leaving: requires, policies[id]) }
      cameBack.insert(id)
      noteOutcome(id, outcome)
      if lameUntil != nil, parents[id] == nil, case .threw = outcome.plain { failedWhileLame = true }
      if outcome == .returned, !heard.contains(id), let policy = policies[id] { noteReturn(id, policy) }
      if most.isEmpty, parents[id] == nil, !heard.contains(id) { stop(grace, at: time) }
    case .emptied(let id): empty.insert(id)
    case .opened(let child):
      begun.insert(child.id)
      parents[child.id] = child.parent
    case .stop(let request):
      stop(grace, at: time)
      if request.source == .signal(15) { signals = min(signals + 1, 3) }
      if request.urgency == .exitNow { exiting = true }
    case .stopPhase(let id, let urgency):
      alone = true
      stoppedAlone = stoppedAlone.union(Self.dependents(of: id, in: requires)).union([id])
      guard urgency != .drain else { break }
      for other in Self.dependents(of: id, in: requires).union([id]) where hurried.insert(other) {
        for child in parents.keys where parents[child] == other && isLive(child) { hurried.insert(child) }
      }
    case .wake: wake = nil
    case .looked(let count):
      look = nil
      admitted = count
    // What runs that are over say does not reach the machine: the driver knows which one speaks.
    case .run, .late: break
    }
  }

  /// It was not ready in time, and is stopped to be started again: it has heard of that only now.
  private func isSlow(_ id: Int, _ actions: [Machine.Action]) -> Bool {
    let hearsNow = actions.contains { if case .phase(id, .hear) = $0 { true } else { false } }
    return hearsNow && !ready.contains(id) && !cameBack.contains(id)
  }

  mutating func stop(_ grace: Duration, at time: Instant) {
    guard !stopped else { return }
    noteOverdue(at: time)
    stopped = true
    if !begun.isEmpty { latest = time + grace }
  }

  /// - Parameters:
  ///   - event: What it answers.
  ///   - wasStopped: Whether a stop had begun before that.
  mutating func perform(
    _ action: Machine.Action, of actions: [Machine.Action], to event: Machine.Event, wasStopped: Bool,
    requires: [[Int]], at time: Instant
  ) throws {
    func require(_ holds: Bool, _ what: @autoclosure () -> String) throws {
      if !holds { throw Breach(description: "\(what()): \(action) in \(self)") }
    }
    func isRestart(_ action: Machine.Action, of id: Int) -> Bool {
      if case .phase(id, .restart) = action { true } else { false }
    }
    func inTime(_ instant: Instant) throws {
      if let latest { try require(instant <= latest, "later than the deadline") }
    }
    let dependents = { (id: Int) in Self.dependents(of: id, in: requires) }
    try require(!finished, "after the end")
    switch action {
    case .phase(let id, .start):
      try require(!stopped, "a start after a stop")
      everBegun.insert(id)
      if !everReady.contains(id) { begunAt[id] = begunAt[id] ?? time }
      if failedForAnother.contains(id) {
        failedForAnother = failedForAnother.subtracting([id])
        restartsAfterThat[id, default: 0] += 1
      }
      // Whatever it was that went wrong before, it runs again.
      failed = failed.subtracting([id])
      cutForAnother = cutForAnother.subtracting([id])
      if backingOff.contains(id) {
        // Started again: what requires it may run on, or has ended and is started after it.
        backingOff = backingOff.subtracting([id])
        ready = ready.subtracting([id])
        cameBack = cameBack.subtracting([id])
      }
      try require(begun.insert(id) || !cameBack.contains(id), "a second start")
      try require(requires[id].allSatisfy(ready.contains), "a start before what it requires is ready")
      try require(requires[id].allSatisfy { !heard.contains($0) }, "a start on what stops")
    case .phase(let id, .ready):
      try require(ready.contains(id) && isLive(id), "ready, and has not said so")
    case .phase(let id, .stoppedBeforeReady):
      try require(!everReady.contains(id), "stopped before it was ready, and was ready")
    case .phase(let id, .hear):
      try require((stopped || alone) && isLive(id), "nobody asked, or nobody is there to hear")
      heard.insert(id)
    case .phase(let id, .drain(let deadline)):
      try require(heard.contains(id) || parents[id] != nil && cameBack.contains(id), "drains before it hears")
      try require(drained.insert(id), "drains twice")
      if let lameUntil, parents[id] == nil {
        try require(
          time < lameUntil && (stoppedAlone.contains(id) || !most.isEmpty), "drains while everything is served")
      }
      if event == .wake, !wasStopped, isSlow(id, actions) { slow.insert(id) }
      try require(
        dependents(id).intersection(begun).isSubset(of: gone) || slow.contains(id),
        "drains before those that require it ended")
      try require(
        parents[id].map { drained.contains($0) || heard.contains(id) || cameBack.contains(id) } ?? true, "drains alone")
      if heard.contains(id) { try inTime(deadline) }
    case .phase(let id, .turn(let deadline)):
      try require(drained.contains(id) && turned.insert(id), "a second turn, or one before the drain")
      let isOver = actions.contains { if case .phase(id, .cancel) = $0 { true } else { false } }
      try require(empty.contains(id) || isOver, "a turn while somebody is inside")
      try inTime(deadline)
    case .phase(let id, .cut):
      try require(drained.contains(id) && isLive(id) && !empty.contains(id), "cut without need")
      try require(cut.insert(id), "cut twice")
      noteOver(id)
    case .phase(let id, .cancel(let deadline)):
      try require(isLive(id) || parents[id] != nil, "cancelled when gone")
      try require(empty.contains(id) || cut.contains(id) || !isLive(parents[id] ?? id), "cancelled before those inside")
      try require(cancelled.insert(id), "cancelled twice")
      if !cut.contains(id) { noteOver(id) }
      try inTime(deadline)
    case .phase(let id, .abandon):
      let hadItsTime = cancelled.contains(id) || cut.contains(id) && cameBack.contains(id)
      let parentGone = parents[id].map { gone.contains($0) || cancelled.contains($0) || cut.contains($0) } ?? false
      try require(hadItsTime || exiting || parentGone, "abandoned and was not cancelled")
      try require(
        dependents(id).intersection(begun).isSubset(of: gone) || slow.contains(id),
        "abandoned before those that require it")
      try require(gone.insert(id), "abandoned when gone")
      noteLate(id)
    case .phase(let id, .release(let end)):
      let isRecycled = actions.contains(.phase(id, .renew)) && !actions.contains { isRestart($0, of: id) }
      if isRecycled, end.error != nil { failedForAnother.insert(id) }
      try require(cameBack.contains(id), "released while its body runs")
      try require(empty.contains(id), "released while somebody is inside")
      try require(gone.insert(id), "released twice")
      // Not ready in time, and not to be started again for it: it gave up. A stop that comes first forgives it.
      let isForgiven = wasStopped || stoppedAlone.contains(id) || actions.contains(.phase(id, .renew))
      if slow.contains(id), !isForgiven { failed.insert(id) }
    case .phase(let id, .restart(_, let delay)):
      try require(!stopped, "a restart after a stop")
      try require((cameBack.contains(id) || !begun.contains(id)) && delay >= .zero, "a restart of what runs")
      restarts[id, default: 0] += 1
      try require(restarts[id, default: 0] <= most[id, default: 0], "more restarts than the intensity")
      // A phase that was not ready in time has been renewed before.
      begun.insert(id)
      cameBack.insert(id)
      failed = failed.subtracting([id])
      backingOff.insert(id)
    case .phase(let id, .renew):
      try require(gone.contains(id), "renewed while it is there")
      for set in [
        \PathModel.begun, \.ready, \.heard, \.drained, \.empty, \.turned, \.cut, \.cancelled, \.cameBack, \.gone,
        \.slow, \.hurried,
      ] {
        self[keyPath: set] = self[keyPath: set].subtracting([id])
      }
    case .phase(_, .refuse), .phase(_, .hold), .phase(_, .admit), .phase(_, .waiting), .phase(_, .done): break
    case .lifecycle(.wake(let instant)):
      try require(instant > time, "a wake-up in the past")
      if stopped { try inTime(instant) }
      wake = wake.map { min($0, instant) } ?? instant
    case .lifecycle(.lameDuck(let until)):
      try require(!wasStopped && !wasLame && until > time, "a lame duck that does not begin the stop")
      try require(
        requires.indices.allSatisfy { everReady.contains($0) || stoppedAlone.contains($0) },
        "what was not ready, has nobody")
      (lameUntil, lameSince, wasLame) = (until, time, true)
      try inTime(until)
    case .lifecycle(.look(let instant)):
      try require(lameUntil.map { instant >= time && instant < $0 } ?? false, "a look at nothing")
      look = instant
    case .lifecycle(.lameDuckEnded(let ended)):
      try checkLameDuck(ended, by: event, at: time, require)
      (lameUntil, look) = (nil, nil)
    case .lifecycle(.leave): throw Breach(description: "an exit before the end: \(self)")
    case .lifecycle(.finish(let report)):
      try check(report, require)
      finished = true
    case .lifecycle(.ignored(let reason)):
      throw Breach(description: "ignored what can come: \(reason) in \(self)")
    }
  }
}
