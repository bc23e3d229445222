/// Decides what a lifecycle does; does nothing itself.
///
/// Starting is a wave up the graph, every way of stopping is a wave down the same graph (S1, S2). A wave moves on when a
/// phase has ended or been abandoned, never by time alone; time only ends a phase's wait (S4, S5).
///
/// A phase ends in two halves, in any order: its body comes back, and its gate, closed since it was told to drain, is
/// empty: no session and no child phase is left inside.
package struct LifecycleStateMachine: Hashable, Sendable {
  package typealias Instant = MonotonicInstant

  package enum Event: Hashable, Sendable {
    case run
    case ready(Int)
    /// A body came back.
    case ended(Int, Outcome)
    /// A gate that was closed by ``PhaseAction/drain(deadline:)`` is empty.
    case emptied(Int)
    /// A child phase was admitted by its parent's gate.
    case opened(Child)
    case stop(StopRequest)
    /// One phase alone, with its children and with those that require it, while the rest runs.
    case stopPhase(Int, StopRequest.Urgency)
    /// A run of a phase spoke that is over: the phase has been started again since.
    case late(Int)
    /// Time has passed. It may come early, late, or twice.
    case wake
    /// The answer to ``LifecycleAction/look(at:)``: how many sessions have been admitted so far, in all phases of the graph.
    case looked(UInt64)
  }

  /// A phase that is opened while the program runs.
  package struct Child: Hashable, Sendable {
    /// Never used before, and not one of the graph's.
    package var id: Int
    package var parent: Int
    package var name: String
    package var limit: Duration?

    package init(id: Int, parent: Int, name: String, limit: Duration? = nil) {
      self.id = id
      self.parent = parent
      self.name = name
      self.limit = limit
    }
  }

  /// How a phase's body came back.
  ///
  /// Whether that was right is decided here, from what it had been told, not from the error: a `CancellationError` does
  /// not mean that the lifecycle has cancelled.
  package enum Outcome: Hashable, Sendable {
    case returned
    case threwCancellation
    /// It had to end work at its deadline, and says what.
    case cutShort(String)
    case threw(String)
    /// Its filter says that this is not an error to start again for.
    indirect case forGood(Outcome)

    var isForGood: Bool {
      if case .forGood = self { true } else { false }
    }

    /// What it is apart from that: a filter has no say in how a phase ends that was told to.
    package var plain: Outcome {
      if case .forGood(let outcome) = self { outcome } else { self }
    }
  }

  package enum State: Hashable, Sendable {
    /// Not run yet. Stops that were asked for are kept.
    case idle([StopRequest])
    case running
    case stopping(Stopping)
    case finished(LifecycleReport)
  }

  package struct Stopping: Hashable, Sendable {
    package let request: StopRequest
    package var timetable: StopTimetable
    package var isExiting = false
    package var endedBySignal: Int32?
    /// No phase is told to drain while there is one.
    package internal(set) var lameDuck: LameDuckWatch?
  }

  package let name: String
  package let grace: Duration
  /// For the report.
  let graceOrigin: GraceOrigin
  /// Of what the grace leaves.
  package let lameDuck: LameDuck.Timing?
  package let graph: PhaseGraph
  package internal(set) var state = State.idle([])
  package internal(set) var phases: [PhaseRecord]
  /// Those that were opened while the program runs, and have not ended.
  package internal(set) var children = ChildTable()
  var childReports: [PhaseReport] = []
  var childrenOpened = 0
  /// The highest id of a child.
  var lastChild = -1
  /// Of the graph's phases.
  var live = 0
  var startedAt: Instant?
  var dueTimes = DueTimes()
  /// The wake-up that has been asked for.
  var armed: Instant?
  /// Of those, how many have done what they had to do.
  var done = 0
  /// How many SIGINT and SIGTERM have come.
  var signals = 0
  /// Requests of sources of a user's own that escalate, by their kind.
  var repetitions: [String: Int] = [:]
  var lameDuckReport: LameDuck.Report?
  var stragglers: [String] = []
  var ignored: [String] = []
  var actions: [Action] = []
  var chance: Chance

  /// - Parameters:
  ///   - lameDuck: As it was asked for.
  ///   - seed: Of the chance in the delays before restarts.
  package init(
    name: String, grace: Duration, graceOrigin: GraceOrigin = .program, lameDuck: LameDuck.Timing? = nil,
    graph: PhaseGraph, seed: UInt64 = 0
  ) {
    chance = Chance(seed: seed)
    self.name = name
    self.grace = grace
    self.graceOrigin = graceOrigin
    self.lameDuck = lameDuck?.clipped(to: grace)
    self.graph = graph
    phases = graph.nodes.map { PhaseRecord(requirements: $0.requires.count) }
  }

  package mutating func receive(_ event: Event, at now: Instant) -> [Action] {
    switch (state, event) {
    case (.idle(let requests), .run): run(requests, at: now)
    case (.idle(let requests), .stop(let request)): state = .idle(requests + [request])
    // It never begins, and neither does what requires it.
    case (.idle, .stopPhase(let id, _)):
      for other in stopped(with: id) where !self[other].hasHeard { self[other].stop = .heard }
    case (.idle, .ready), (.idle, .ended), (.idle, .emptied), (.idle, .opened), (.idle, .late):
      ignore("a phase spoke before the start")
    case (.idle, .looked), (.running, .looked): ignore("a look at the sessions that was not asked for")
    // Nothing has been armed.
    case (.idle, .wake): break

    case (.running, .run): ignore("run() while it runs")
    case (.running, .stop(let request)): beginStop(request, at: now)
    case (.stopping, .run): ignore("run() while it stops")
    case (.stopping(let stopping), .stop(let request)): join(stopping, request, at: now)

    case (.running, .ready(let id)), (.stopping, .ready(let id)): becomeReady(id, at: now)
    case (.running, .ended(let id, let outcome)), (.stopping, .ended(let id, let outcome)):
      comeBack(id, outcome, at: now)
    case (.running, .emptied(let id)), (.stopping, .emptied(let id)): becomeEmpty(id, at: now)
    case (.running, .opened(let child)), (.stopping, .opened(let child)): open(child, at: now)
    case (.running, .stopPhase(let id, let urgency)), (.stopping, .stopPhase(let id, let urgency)):
      stopAlone(id, urgency, at: now)
    case (.running, .late(let id)), (.stopping, .late(let id)), (.finished, .late(let id)):
      ignore("\(nameOf(id)): a run that is over said that it is ready, or asked for a stop")
    // What was armed has fired, if only a moment too early: it must be armed anew.
    case (.running, .wake), (.stopping, .wake): armed = nil
    case (.stopping, .looked(let admitted)): look(admitted, at: now)

    case (.finished, .run): ignore("run() after the end")
    case (.finished, .ready(let id)): ignore("\(nameOf(id)) became ready after the end")
    case (.finished, .ended(let id, _)): ignore("\(nameOf(id)) ended after the end")
    // A phase that was abandoned may still end. Its report is written.
    case (.finished, .emptied): break
    case (.finished, .opened(let child)): turnAway(child, at: now)
    // It has stopped.
    case (.finished, .stopPhase): break
    case (.finished(let report), .stop(let request)): insist(request, report)
    // A wake-up, or a look, that was asked for before the last phase ended.
    case (.finished, .wake), (.finished, .looked): break
    }
    settle(at: now)
    // A new array: to keep the capacity of a long one would allocate as much again at every event that follows.
    defer { actions = [] }
    return actions
  }

  /// An action on one phase.
  mutating func tell(_ id: Int, _ action: PhaseAction) { actions.append(.phase(id, action)) }

  /// Recorded, not trapped: a shutdown never crashes.
  ///
  /// At most 16 are kept, so that a loop cannot fill the memory.
  mutating func ignore(_ reason: String) {
    if ignored.count < 16 { ignored.append(reason) }
    actions.append(.lifecycle(.ignored(reason)))
  }
}
