import GracefulShutdown
import Testing

/// The table of the lame-duck time: who gets one, and what ends it.
@Suite("T5: The lame-duck time in the state machine")
struct LameDuckMachineTests {
  typealias Machine = LifecycleStateMachine
  private static let usual = LameDuck.Timing(limit: .seconds(5), minimum: .seconds(3), quiet: .seconds(1))

  private static func at(_ seconds: Double) -> MonotonicInstant { StateMachineTests.at(seconds) }

  /// 1 requires 0; both are ready.
  private static func running(_ lameDuck: LameDuck.Timing? = usual, grace: Duration = .seconds(20)) -> QuietMachine {
    let graph = PhaseGraph([.init("database"), .init("web", requires: ["database"])])
    return StateMachineTests.running(
      QuietMachine(machine: Machine(name: "test", grace: grace, lameDuck: lameDuck, graph: graph)))
  }

  private static func stopped(by who: StopRequest.Source = .signal(15)) -> QuietMachine {
    var machine = running()
    _ = machine.receive(.stop(StopRequest(source: who)), at: at(0))
    return machine
  }

  private static func drained(_ actions: [Machine.Action]) -> [Int] {
    actions.compactMap { if case .phase(let id, .drain) = $0 { id } else { nil } }
  }

  private static func end(_ actions: [Machine.Action]) -> LameDuck.Report? {
    actions.lazy.compactMap { if case .lifecycle(.lameDuckEnded(let report)) = $0 { report } else { nil } }.first
  }

  @Test("everybody hears at once, and nobody is told to drain before it is over")
  func course() {
    var machine = Self.running()
    let cancelAt = Self.at(17)
    #expect(
      machine.receive(.stop(StateMachineTests.terminate), at: Self.at(0)) == [
        .lameDuck(until: Self.at(5)), .look(at: Self.at(2)), .hear(1, deadline: cancelAt), .hear(0, deadline: cancelAt),
        .wake(at: Self.at(5)),
      ])
    #expect(machine.receive(.wake, at: Self.at(4.999)) == [.wake(at: Self.at(5))])
    let report = LameDuck.Report(took: .seconds(5), end: .limit, limit: .seconds(5))
    #expect(
      machine.receive(.wake, at: Self.at(5)) == [
        .lameDuckEnded(report), .drain(1, deadline: cancelAt), .wake(at: cancelAt),
      ], "the one deadline is that of the request")
    _ = machine.receive(.ended(1, .returned), at: Self.at(6))
    let end = StateMachineTests.report(machine.receive(.ended(0, .returned), at: Self.at(7)))
    #expect(end?.lameDuck == report)
    #expect(end?.took == .seconds(7))
    #expect(end?.exitCode == 0)
  }

  @Test("ends once no session came for a while, and never before its minimum")
  func quiet() {
    var machine = Self.stopped()
    #expect(machine.receive(.looked(70), at: Self.at(2)) == [.look(at: Self.at(2.125))])
    #expect(machine.receive(.looked(71), at: Self.at(2.125)) == [.look(at: Self.at(2.25))])
    var look = 2.25
    while look < 3.125 {
      #expect(machine.receive(.looked(71), at: Self.at(look)) == [.look(at: Self.at(look + 0.125))])
      look += 0.125
    }
    let actions = machine.receive(.looked(71), at: Self.at(look))
    #expect(Self.end(actions) == LameDuck.Report(took: .seconds(3.125), end: .quiet, limit: .seconds(5)))
    #expect(Self.drained(actions) == [1])
    #expect(machine.receive(.looked(72), at: Self.at(4)).isEmpty, "a look that is late changes nothing")
  }

  @Test("that can only become quiet when it is over anyway is not looked at, and one that cannot any more is not again")
  func noLook() {
    for time in [
      LameDuck.Timing(limit: .seconds(5), minimum: .seconds(5), quiet: .seconds(1)),
      LameDuck.Timing(limit: .seconds(5), minimum: .zero, quiet: .seconds(5)),
    ] {
      var machine = Self.running(time)
      let actions = machine.receive(.stop(StateMachineTests.terminate), at: Self.at(0))
      #expect(!actions.contains { if case .lifecycle(.look) = $0 { true } else { false } })
    }
    var machine = Self.stopped()
    #expect(machine.receive(.looked(1), at: Self.at(4.1)).isEmpty, "from here on it is quiet at 5.1 at the earliest")
  }

  @Test("with hardly any quiet to wait for ends with its minimum when nobody comes")
  func noQuiet() {
    var machine = Self.running(LameDuck.Timing(limit: .seconds(5), minimum: .seconds(2), quiet: .zero))
    #expect(machine.receive(.stop(StateMachineTests.terminate), at: Self.at(0)).contains(.look(at: Self.at(1.99))))
    #expect(machine.receive(.looked(9), at: Self.at(1.99)) == [.look(at: Self.at(2))])
    #expect(Self.end(machine.receive(.looked(9), at: Self.at(2)))?.end == .quiet)
  }

  @Test("is for those who ask from outside, and for nobody else")
  func askers() {
    let outside: [StopRequest.Source] = [.signal(15), .signal(1), .code, .serviceGroup, .http]
    let inside: [StopRequest.Source] = [.successor(7), .phaseFailed("web"), .phaseEnded("web"), .cancellation]
    for who in outside {
      var machine = Self.running()
      #expect(Self.drained(machine.receive(.stop(StopRequest(source: who)), at: Self.at(0))) == [], "\(who)")
    }
    for who in inside {
      var machine = Self.running()
      #expect(Self.drained(machine.receive(.stop(StopRequest(source: who)), at: Self.at(0))) == [1], "\(who)")
    }
    for urgency in [StopRequest.Urgency.cancelNow, .exitNow] {
      var machine = Self.running()
      let actions = machine.receive(.stop(StopRequest(urgency: urgency)), at: Self.at(0))
      #expect(!actions.contains { if case .lifecycle(.lameDuck) = $0 { true } else { false } }, "\(urgency)")
    }
  }

  @Test("is not for a stop before, or during the start, nor for one that fails")
  func start() {
    let graph = PhaseGraph([.init("database"), .init("web", requires: ["database"])])
    var machine = QuietMachine(
      machine: Machine(name: "test", grace: .seconds(20), lameDuck: Self.usual, graph: graph))
    var early = machine
    _ = early.receive(.stop(StateMachineTests.terminate), at: Self.at(0))
    #expect(StateMachineTests.report(early.receive(.run, at: Self.at(0)))?.lameDuck == nil)
    _ = machine.receive(.run, at: Self.at(0))
    _ = machine.receive(.ready(0), at: Self.at(0))
    var failing = machine
    #expect(Self.drained(machine.receive(.stop(StateMachineTests.terminate), at: Self.at(1))) == [1])
    #expect(Self.drained(failing.receive(.ended(1, .threw("no port")), at: Self.at(1))) == [1, 0])
  }

  @Test("ends at once with a second SIGTERM and with a request in a hurry, whatever its minimum")
  func urgent() {
    var machine = Self.stopped()
    let second = machine.receive(.stop(StateMachineTests.terminate), at: Self.at(1))
    #expect(Self.end(second) == LameDuck.Report(took: .seconds(1), end: .urgent, limit: .seconds(5)))
    #expect(Self.drained(second) == [1])
    #expect(second.contains { if case .phase(1, .cancel) = $0 { true } else { false } })
    #expect(!Self.drained(second).contains(0), "in order, too")

    var other = Self.stopped(by: .code)
    #expect(other.receive(.stop(StateMachineTests.terminate), at: Self.at(1)).isEmpty, "a first SIGTERM joins")
    let exit = other.receive(.stop(StopRequest(urgency: .exitNow)), at: Self.at(1))
    #expect(Self.end(exit)?.end == .urgent)
    #expect(StateMachineTests.report(exit)?.exitCode == 124)
  }

  @Test("ends at once when a successor has taken over")
  func successor() {
    var machine = Self.stopped()
    let actions = machine.receive(.stop(StopRequest(source: .successor(7))), at: Self.at(1))
    #expect(Self.end(actions)?.end == .takenOver)
    #expect(Self.drained(actions) == [1])
  }

  @Test("goes on while some return as soon as they hear, and ends at once with the last of them")
  func nothingLeft() {
    var machine = Self.stopped()
    #expect(machine.receive(.ended(1, .returned), at: Self.at(0.5)).isEmpty)
    let last = machine.receive(.ended(0, .threwCancellation), at: Self.at(1))
    #expect(Self.end(last)?.end == .nothingLeft)
    #expect(last.contains(.release(1, .drained)))
    var both = machine.machine
    let report = both.receive(.wake, at: Self.at(60))
    #expect(StateMachineTests.report(report) == nil, "it has finished before")
  }

  @Test("ends at once when a phase fails: not everything is served any more")
  func failed() {
    var machine = Self.stopped()
    let actions = machine.receive(.ended(0, .threw("gone")), at: Self.at(1))
    #expect(Self.end(actions)?.end == .phaseFailed)
    #expect(Self.drained(actions) == [1])
  }

  @Test("is not for a phase that is stopped alone, before it or in it")
  func alone() {
    var machine = Self.running()
    #expect(Self.drained(machine.receive(.stopPhase(1, .drain), at: Self.at(0))) == [1])
    var lame = Self.stopped()
    #expect(Self.drained(lame.receive(.stopPhase(1, .drain), at: Self.at(1))) == [1])
    // The phase that it required has no dependent left, and is served on all the same.
    #expect(Self.drained(lame.receive(.ended(1, .returned), at: Self.at(2))) == [])
    #expect(Self.drained(lame.receive(.wake, at: Self.at(5))) == [0])
  }

  @Test("never takes more than half of what the grace leaves to drain")
  func clipped() {
    // Of 8 s, 2 are for cancelling and 1 for the report.
    #expect(Self.usual.clipped(to: .seconds(8)) == LameDuck.Timing(limit: .seconds(2.5), minimum: .seconds(2.5)))
    #expect(Self.usual.clipped(to: .seconds(25)) == Self.usual)
    #expect(Self.usual.clipped(to: .zero) == nil)
    #expect(Self.usual.clipped(to: .seconds(-5)) == nil)
    var machine = Self.running(grace: .seconds(8))
    #expect(machine.receive(.stop(StateMachineTests.terminate), at: Self.at(0)).first == .lameDuck(until: Self.at(2.5)))
  }

  @Test("a clock that jumps over all of it drains, cancels and abandons in order")
  func late() {
    var machine = Self.stopped()
    let late = machine.receive(.wake, at: Self.at(60))
    #expect(Self.end(late)?.end == .limit)
    #expect(late.compactMap { if case .phase(let id, .abandon) = $0 { id } else { nil } } == [1, 0])
    #expect(StateMachineTests.report(late)?.exitCode == 124)
  }

  @Test("a look that nobody asked for is recorded, and changes nothing")
  func stray() {
    var machine = Self.running()
    guard case .lifecycle(.ignored) = machine.receive(.looked(3), at: Self.at(0)).first else {
      Issue.record("not ignored")
      return
    }
  }
}
