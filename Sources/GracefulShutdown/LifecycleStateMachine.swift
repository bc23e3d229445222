/// Decides what a lifecycle does; does nothing itself.
///
/// Starting is a wave up the graph, every way of stopping is a wave down the same graph (S1, S2). A wave moves on when a
/// phase has ended or been abandoned, never by time alone; time only ends a phase's wait (S4, S5).
package struct LifecycleStateMachine: Hashable, Sendable {
  package typealias Instant = ContinuousClock.Instant

  package enum Event: Hashable, Sendable {
    case run
    case ready(Int)
    case ended(Int, Outcome)
    case stop(StopRequest)
    /// Time has passed. It may come early, late, or twice.
    case wake
  }

  /// How a phase's body came back.
  ///
  /// Whether that was right is decided here, from what it had been told, not from the error: a `CancellationError` does
  /// not mean that it was we who cancelled.
  package enum Outcome: Hashable, Sendable {
    case returned
    case threwCancellation
    /// It had to end work at its deadline, and says what.
    case cutShort(String)
    case threw(String)
  }

  package enum Action: Hashable, Sendable {
    case start(Int)
    /// A stop was asked for; the deadline is that of the whole.
    case hear(Int, deadline: Instant)
    case turn(Int, deadline: Instant)
    case cancel(Int, deadline: Instant)
    case abandon(Int)
    /// It came back; nothing more will be said to it.
    case release(Int, PhaseEnd)
    case wake(at: Instant)
    case finish(LifecycleReport)
    case ignored(String)
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
    /// How many SIGINT and SIGTERM have come.
    package var signals = 0
    package var isExiting = false
    package var endedBySignal: Int32?
  }

  package let name: String
  package let grace: Duration
  package let graph: PhaseGraph
  package internal(set) var state = State.idle([])
  package internal(set) var phases: [PhaseRecord]
  var live = 0
  var startedAt: Instant?
  /// Nothing is due before this instant.
  ///
  /// It may be too early, when that phase has ended meanwhile.
  var nextDue: Instant?
  /// The wake-up that has been asked for.
  var armed: Instant?
  var stragglers: [Int] = []
  var ignored: [String] = []
  var actions: [Action] = []

  package init(name: String, grace: Duration, graph: PhaseGraph) {
    self.name = name
    self.grace = grace
    self.graph = graph
    phases = graph.nodes.map { PhaseRecord(requirements: $0.requires.count) }
  }

  package mutating func receive(_ event: Event, at now: Instant) -> [Action] {
    switch (state, event) {
    case (.idle(let requests), .run): run(requests, at: now)
    case (.idle(let requests), .stop(let request)): state = .idle(requests + [request])
    case (.idle, .ready), (.idle, .ended): ignore("a phase spoke before the start")
    // Nothing has been armed.
    case (.idle, .wake): break

    case (.running, .run): ignore("run() while it runs")
    case (.running, .ready(let id)): becomeReady(id, at: now)
    case (.running, .ended(let id, let outcome)): endBeforeStop(id, outcome, at: now)
    case (.running, .stop(let request)): beginStop(request, at: now)
    // Nothing has been armed: start limits will be.
    case (.running, .wake): break

    case (.stopping, .run): ignore("run() while it stops")
    // It was starting when the stop came; there is nobody left to start on it.
    case (.stopping, .ready(let id)): becomeReady(id, at: now)
    case (.stopping, .ended(let id, let outcome)): endWhileStopping(id, outcome, at: now)
    case (.stopping(let stopping), .stop(let request)): join(stopping, request, at: now)
    // What was armed has fired, if only a moment too early: it must be armed anew.
    case (.stopping, .wake): armed = nil

    case (.finished, .run): ignore("run() after the end")
    case (.finished, .ready(let id)): ignore("\(nameOf(id)) became ready after the end")
    case (.finished, .ended(let id, _)): ignore("\(nameOf(id)) ended after the end")
    case (.finished, .stop): ignore("a stop after the end")
    // A wake-up that was armed before the last phase ended.
    case (.finished, .wake): break
    }
    settle(at: now)
    defer { actions.removeAll() }
    return actions
  }

  func nameOf(_ id: Int) -> String { graph.nodes.indices.contains(id) ? graph.nodes[id].name : "phase \(id)" }

  /// Recorded, not trapped: a shutdown never crashes.
  ///
  /// At most 16 are kept, so that a loop cannot fill the memory.
  mutating func ignore(_ reason: String) {
    if ignored.count < 16 { ignored.append(reason) }
    actions.append(.ignored(reason))
  }
}
