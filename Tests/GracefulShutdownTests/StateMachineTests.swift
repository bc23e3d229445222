import GracefulShutdown
import Testing

/// The table of the state machine: what it answers to each event, one promise after the other.
@Suite("The state machine of a lifecycle")
struct StateMachineTests {
  typealias Machine = LifecycleStateMachine
  static let start = MonotonicInstant.now

  static func machine(
    _ declarations: [PhaseGraph.Declaration], grace: Duration = .seconds(20)
  ) -> QuietMachine {
    QuietMachine(machine: Machine(name: "test", grace: grace, graph: PhaseGraph(declarations)))
  }

  /// Three in a row: 2 requires 1 requires 0.
  static func chain(limit: Duration? = nil, grace: Duration = .seconds(20)) -> QuietMachine {
    machine(
      [
        .init("database"), .init("queue", requires: ["database"]),
        .init("web", requires: ["queue"], limit: limit),
      ], grace: grace)
  }

  static func at(_ seconds: Double) -> MonotonicInstant { start + .seconds(seconds) }

  static func running(_ machine: QuietMachine) -> QuietMachine {
    var machine = machine
    _ = machine.receive(.run, at: start)
    for id in machine.phases.indices { _ = machine.receive(.ready(id), at: start) }
    return machine
  }

  static let terminate = StopRequest(source: .signal(15))

  @Test("S1: a phase starts when all that it requires is ready, independent ones at the same time")
  func start() {
    var machine = Self.machine([
      .init("a"), .init("b"), .init("both", requires: ["a", "b"]), .init("alone", requires: ["a"]),
    ])
    #expect(machine.receive(.run, at: Self.at(0)) == [.start(0), .start(1)])
    #expect(machine.receive(.ready(0), at: Self.at(1)) == [.ready(0), .start(3)])
    #expect(machine.receive(.ready(1), at: Self.at(2)) == [.ready(1), .start(2)])
  }

  @Test("S2, S3: all hear at once; the turn comes when all that require it have ended")
  func drain() {
    var machine = Self.running(Self.chain())
    let cancelAt = Self.at(17)
    #expect(
      machine.receive(.stop(Self.terminate), at: Self.at(0)) == [
        .hear(2, deadline: cancelAt), .hear(1, deadline: cancelAt), .hear(0, deadline: cancelAt),
        .drain(2, deadline: cancelAt), .wake(at: cancelAt),
      ])
    #expect(
      machine.receive(.ended(2, .returned), at: Self.at(1)) == [.release(2, .drained), .drain(1, deadline: cancelAt)])
    #expect(
      machine.receive(.ended(1, .returned), at: Self.at(2)) == [.release(1, .drained), .drain(0, deadline: cancelAt)])
    let last = machine.receive(.ended(0, .threwCancellation), at: Self.at(3))
    #expect(last.first == .release(0, .drained), "what ended because we told it to is no error")
    guard case .lifecycle(.finish(let report)) = last.last else { Issue.record("\(last)"); return }
    #expect(report.exitCode == 0)
    #expect(report.took == .seconds(3))
    #expect(report.request == Self.terminate)
  }

  @Test("S2: a phase that fails stops the rest in the same order, exit 1")
  func failure() {
    var machine = Self.running(Self.chain())
    let actions = machine.receive(.ended(1, .threw("broken")), at: Self.at(5))
    #expect(actions.contains(.drain(2, deadline: Self.at(22))))
    #expect(!actions.contains { if case .phase(0, .drain) = $0 { true } else { false } }, "the web has not ended")
    let next = machine.receive(.ended(2, .returned), at: Self.at(6))
    #expect(next.contains(.release(1, .failed("broken"))))
    #expect(next.contains(.drain(0, deadline: Self.at(22))), "and only now the database")
    let report = Self.report(machine.receive(.ended(0, .returned), at: Self.at(7)))
    #expect(report?.exitCode == 1)
    #expect(report?.request?.source == .phaseFailed("queue"))
    #expect(report?.phases.map(\.end) == [.drained, .failed("broken"), .drained])
  }

  @Test("A phase that returns by itself stops the rest; that is no failure")
  func endedByItself() {
    var machine = Self.running(Self.machine([.init("a"), .init("b")]))
    _ = machine.receive(.ended(0, .returned), at: Self.at(1))
    let report = Self.report(machine.receive(.ended(1, .returned), at: Self.at(2)))
    #expect(report?.phases.map(\.end) == [.endedByItself, .drained])
    #expect(report?.request?.source == .phaseEnded("a"))
    #expect(report?.exitCode == 0)
  }

  @Test("Trap 3: a CancellationError before any stop is a failure, for nobody had cancelled")
  func foreignCancellation() {
    var machine = Self.running(Self.machine([.init("a")]))
    let report = Self.report(machine.receive(.ended(0, .threwCancellation), at: Self.at(1)))
    #expect(report?.exitCode == 1)
  }

  @Test("S2, S10: a start that fails unwinds what started; what did not start never does")
  func startFailure() {
    var machine = Self.chain()
    _ = machine.receive(.run, at: Self.at(0))
    _ = machine.receive(.ready(0), at: Self.at(0))
    // Trap 6: the budget is that of the stop, from the failure on, not what the start has left.
    let actions = machine.receive(.ended(1, .threw("no port")), at: Self.at(100))
    #expect(actions.contains(.drain(0, deadline: Self.at(117))))
    let report = Self.report(machine.receive(.ended(0, .returned), at: Self.at(101)))
    #expect(report?.phases.map(\.end) == [.drained, .failed("no port"), .neverStarted])
  }

  @Test("S10: a stop during the start begins nothing more, and unwinds what began")
  func stopWhileStarting() {
    var machine = Self.chain()
    _ = machine.receive(.run, at: Self.at(0))
    #expect(machine.receive(.stop(Self.terminate), at: Self.at(1)).contains(.drain(0, deadline: Self.at(18))))
    #expect(machine.receive(.ready(0), at: Self.at(2)) == [.ready(0)], "too late for anybody to start")
    let report = Self.report(machine.receive(.ended(0, .returned), at: Self.at(3)))
    #expect(report?.phases.map(\.end) == [.drained, .neverStarted, .neverStarted])
    #expect(report?.exitCode == 0)
  }

  @Test("S10: a stop before the start starts nothing")
  func stopBeforeRun() {
    var machine = Self.chain()
    #expect(machine.receive(.stop(Self.terminate), at: Self.at(0)).isEmpty)
    let report = Self.report(machine.receive(.run, at: Self.at(1)))
    #expect(report?.phases.map(\.end) == [.neverStarted, .neverStarted, .neverStarted])
    #expect(report?.request == Self.terminate)
    #expect(report?.exitCode == 0)
  }

  @Test("S5: drain, then cancel, then abandon, each in order; all have their turn although one never ends")
  func escalation() {
    var machine = Self.running(Self.chain())
    _ = machine.receive(.stop(Self.terminate), at: Self.at(0))
    // Three in the chain share the two seconds of the cancel limit.
    let third = Duration.seconds(2) / 3
    #expect(machine.receive(.wake, at: Self.at(17)).first == .cancel(2, deadline: Self.at(17) + third))
    let second = machine.receive(.wake, at: Self.at(17) + third)
    #expect(second.first == .abandon(2))
    #expect(second.dropFirst().first == .drain(1, deadline: Self.at(17)))
    #expect(second.contains { if case .phase(1, .cancel) = $0 { true } else { false } })
    let last = machine.receive(.ended(1, .threw("closed")), at: Self.at(18))
    #expect(last.first == .release(1, .cancelled(error: "closed")))
    #expect(last.contains(.cancel(0, deadline: Self.at(19))))
    let report = Self.report(machine.receive(.wake, at: Self.at(19)))
    #expect(report?.exitCode == 124)
    #expect(report?.stragglers.map(\.name) == ["web", "queue", "database"])
    #expect(report?.took == .seconds(19), "one second is left for the report and the exit")
  }

  @Test("S4: a phase's own limit cancels it alone, and those behind it drain as if nothing had been")
  func ownLimit() {
    var machine = Self.running(Self.chain(limit: .seconds(5)))
    let turn = machine.receive(.stop(Self.terminate), at: Self.at(0))
    #expect(turn.suffix(2) == [.drain(2, deadline: Self.at(5)), .wake(at: Self.at(5))])
    #expect(machine.receive(.wake, at: Self.at(5)) == [.cancel(2, deadline: Self.at(7)), .wake(at: Self.at(7))])
    #expect(
      machine.receive(.wake, at: Self.at(7)) == [
        .abandon(2), .drain(1, deadline: Self.at(17)), .wake(at: Self.at(17)),
      ])
    _ = machine.receive(.ended(1, .returned), at: Self.at(8))
    let report = Self.report(machine.receive(.ended(0, .returned), at: Self.at(9)))
    #expect(report?.phases.map(\.end) == [.drained, .drained, .abandoned])
  }

  @Test("S8: the second SIGTERM or SIGINT cancels now, the third exits now")
  func repeatedSignals() {
    var machine = Self.running(Self.chain())
    _ = machine.receive(.stop(Self.terminate), at: Self.at(0))
    let second = machine.receive(.stop(StopRequest(source: .signal(2))), at: Self.at(1))
    #expect(second.contains { if case .phase(2, .cancel) = $0 { true } else { false } })
    #expect(!second.contains { if case .phase(1, .cancel) = $0 { true } else { false } }, "cancelled in order, too")
    let third = machine.receive(.stop(Self.terminate), at: Self.at(1.5))
    #expect(third.prefix(3) == [.abandon(2), .abandon(1), .abandon(0)])
    #expect(Self.report(third)?.exitCode == 143)
  }

  @Test("S8: a first SIGTERM after another trigger joins; so does everything else that is not urgent")
  func joining() {
    var machine = Self.running(Self.chain())
    _ = machine.receive(.stop(StopRequest(source: .code)), at: Self.at(0))
    #expect(machine.receive(.stop(Self.terminate), at: Self.at(1)).isEmpty)
    for _ in 0..<5 { #expect(machine.receive(.stop(StopRequest(source: .code)), at: Self.at(1)).isEmpty) }
    #expect(machine.receive(.stop(StopRequest(source: .signal(1))), at: Self.at(1)).isEmpty)
    let second = machine.receive(.stop(Self.terminate), at: Self.at(2))
    #expect(second.contains { if case .phase(2, .cancel) = $0 { true } else { false } })
  }

  @Test("An urgent request by code cancels or exits now, 124")
  func urgent() {
    var machine = Self.running(Self.chain())
    let first = machine.receive(.stop(StopRequest(urgency: .cancelNow)), at: Self.at(0))
    #expect(first.contains { if case .phase(2, .cancel) = $0 { true } else { false } })
    let second = machine.receive(.stop(StopRequest(urgency: .exitNow)), at: Self.at(0))
    #expect(Self.report(second)?.exitCode == 124)
  }

  @Test("S4, trap 10: what throws while draining ends its wait at once")
  func throwsWhileDraining() {
    var machine = Self.running(Self.chain())
    _ = machine.receive(.stop(Self.terminate), at: Self.at(0))
    let actions = machine.receive(.ended(2, .threw("broken")), at: Self.at(1))
    #expect(actions == [.release(2, .failed("broken")), .drain(1, deadline: Self.at(17))])
  }

  @Test("Trap 4: one that ends before its turn while others drain is drained, and nothing escalates")
  func early() {
    var machine = Self.running(Self.chain())
    _ = machine.receive(.stop(Self.terminate), at: Self.at(0))
    #expect(machine.receive(.ended(0, .returned), at: Self.at(1)).isEmpty, "it has ended when those before it have")
    #expect(machine.receive(.ended(2, .returned), at: Self.at(2)).last == .drain(1, deadline: Self.at(17)))
    #expect(Self.report(machine.receive(.ended(1, .returned), at: Self.at(3)))?.exitCode == 0)
  }

  @Test("What cannot happen is recorded and ignored")
  func impossible() {
    var machine = Self.running(Self.chain())
    let impossible: [Machine.Event] = [.run, .ready(0), .ready(7), .ended(7, .returned)]
    for event in impossible {
      let actions = machine.receive(event, at: Self.at(0))
      guard case .lifecycle(.ignored) = actions.first, actions.count == 1 else {
        Issue.record("\(event): \(actions)"); continue
      }
    }
    _ = machine.receive(.stop(Self.terminate), at: Self.at(0))
    _ = machine.receive(.wake, at: Self.at(17))
    _ = machine.receive(.wake, at: Self.at(18))
    #expect(machine.receive(.ended(2, .returned), at: Self.at(18)) == [.ignored("web ended after it was abandoned")])
    let report = Self.report(machine.receive(.wake, at: Self.at(30)))
    #expect(report?.ignored.count == 5)
    #expect(machine.receive(.stop(Self.terminate), at: Self.at(31)) == [.ignored("a stop after the end")])
  }

  @Test("After the end, too, the third signal is the last: an exit that hangs is not waited for")
  func insisting() throws {
    var machine = Self.running(Self.chain())
    _ = machine.receive(.stop(Self.terminate), at: Self.at(0))
    let report = try #require(Self.report(machine.receive(.wake, at: Self.at(60))))
    let other = StopRequest(source: .code)
    #expect(machine.receive(.stop(other), at: Self.at(61)) == [.ignored("a stop after the end")])
    #expect(machine.receive(.stop(Self.terminate), at: Self.at(62)) == [.ignored("a stop after the end")])
    #expect(machine.receive(.stop(Self.terminate), at: Self.at(63)).last == .leave(report))
  }

  @Test("A wake-up that comes early is asked for again; one that comes late does everything that is due")
  func wakeUps() {
    var machine = Self.running(Self.chain())
    _ = machine.receive(.stop(Self.terminate), at: Self.at(0))
    #expect(machine.receive(.wake, at: Self.at(16.999)) == [.wake(at: Self.at(17))])
    let late = machine.receive(.wake, at: Self.at(60))
    let order = late.compactMap { if case .phase(let id, .abandon) = $0 { id } else { nil } }
    #expect(order == [2, 1, 0])
    #expect(Self.report(late)?.exitCode == 124)
  }

  @Test("A lifecycle without phases runs until it is asked to stop")
  func empty() {
    var machine = Self.machine([])
    #expect(machine.receive(.run, at: Self.at(0)).isEmpty)
    #expect(Self.report(machine.receive(.stop(Self.terminate), at: Self.at(1)))?.exitCode == 0)
  }

  @Test("A phase that is not ready within its start limit has failed, and what started is unwound")
  func startLimit() {
    var machine = Self.machine([.init("database"), .init("web", requires: ["database"], startLimit: .seconds(5))])
    _ = machine.receive(.run, at: Self.at(0))
    #expect(machine.receive(.ready(0), at: Self.at(10)) == [.ready(0), .start(1), .wake(at: Self.at(15))])
    let actions = machine.receive(.wake, at: Self.at(15))
    #expect(actions.contains(.drain(1, deadline: Self.at(15))), "it has had its time")
    #expect(!actions.contains(.drain(0, deadline: Self.at(32))), "whatever it did, the database outlives it")
    _ = machine.receive(.ended(1, .returned), at: Self.at(15))
    let report = Self.report(machine.receive(.ended(0, .returned), at: Self.at(16)))
    #expect(report?.phases[1].end.error == "not ready within its start limit of 5.000 s")
    #expect(report?.request?.source == .phaseFailed("web"))
  }

  @Test("A start limit that is met is no limit for the rest")
  func startLimitMet() {
    var machine = Self.machine([.init("web", startLimit: .seconds(5))])
    _ = machine.receive(.run, at: Self.at(0))
    _ = machine.receive(.ready(0), at: Self.at(4))
    #expect(machine.receive(.wake, at: Self.at(5)).isEmpty)
    #expect(machine.receive(.wake, at: Self.at(500)).isEmpty)
  }

  static func report(_ actions: [Machine.Action]) -> LifecycleReport? {
    if case .lifecycle(.finish(let report)) = actions.last { report } else { nil }
  }
}
