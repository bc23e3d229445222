import Testing

@testable import GracefulRehearsal

@Suite("A restart and its outcome") struct RestartStateMachineTests {
  typealias Machine = RestartStateMachine
  static let old = Int32(10)
  static let new = Int32(20)
  static let other = Int32(30)
  static let serving = Machine.Event.serving(pid: new, generation: 2)

  func run(_ way: Machine.Way, _ fault: RehearsalFault, _ events: [Machine.Event]) -> [Machine.Action] {
    var machine = Machine(way, fault: fault)
    return events.flatMap { machine.receive($0) }
  }

  @Test("A successor that says that it serves has served; another one's line proves nothing") func served() {
    let finish = Machine.Action.finish(.init(outcome: .served, pid: Self.new, generation: 2))
    #expect(run(.successor(Self.new), .none, [Self.serving]) == [finish])
    #expect(run(.successor(Self.other), .none, [Self.serving]) == [])
    #expect(run(.told(Self.old), .none, [Self.serving]) == [finish])
    #expect(run(.told(Self.new), .none, [Self.serving]) == [])
  }

  @Test("A successor that ends before it serves has failed; the end of the old one is none") func failed() {
    let events: [Machine.Event] = [.ended(Self.old, cleanly: true), .ended(Self.new, cleanly: false)]
    #expect(run(.successor(Self.new), .none, events) == [.finish(.init(outcome: .failed, pid: Self.new))])
    #expect(run(.told(Self.old), .none, [.ended(Self.old, cleanly: false)]) == [.finish(.init(outcome: .failed))])
  }

  @Test("What takes too long is given up, and what was started for it is killed") func gaveUp() {
    let finish = Machine.Action.finish(.init(outcome: .gaveUp, pid: Self.new))
    #expect(run(.successor(Self.new), .none, [.limit]) == [.kill(Self.new), finish])
    #expect(run(.command(Self.new), .none, [.limit]) == [.kill(Self.new), finish])
    #expect(run(.observed(started: Self.new), .none, [.limit]) == [.kill(Self.new), finish])
    #expect(run(.told(Self.old), .none, [.limit]) == [.finish(.init(outcome: .gaveUp))])
  }

  @Test("A paused successor is killed, and has failed when it is dead") func killed() {
    let actions = run(
      .successor(Self.new), .kill,
      [.paused(Self.new), .ended(Self.other, cleanly: false), .ended(Self.new, cleanly: false)])
    #expect(actions == [.kill(Self.new), .finish(.init(outcome: .failed, pid: Self.new, wasFaulted: true))])
  }

  @Test("A stopped successor is given up when somebody has ended it, or left over when nobody has") func stopped() {
    let stop: [Machine.Action] = [.stop(Self.new), .armHangLimit]
    #expect(
      run(.successor(Self.new), .hang, [.paused(Self.new), .limit, .ended(Self.new, cleanly: false)])
        == stop + [.finish(.init(outcome: .gaveUp, pid: Self.new, wasFaulted: true))])
    #expect(
      run(.successor(Self.new), .hang, [.paused(Self.new), .hangLimit])
        == stop + [
          .kill(Self.new), .finish(.init(outcome: .gaveUp, pid: Self.new, leftOver: Self.new, wasFaulted: true)),
        ])
  }

  @Test("Without a fault a pause is nobody's") func pausedWithoutFault() {
    #expect(run(.successor(Self.new), .none, [.paused(Self.new)]) == [])
  }

  @Test("A shell command that exits with 0 has served") func command() {
    #expect(run(.command(Self.new), .none, [.ended(Self.new, cleanly: true)]) == [.finish(.init(outcome: .served))])
    #expect(run(.command(Self.new), .none, [.ended(Self.new, cleanly: false)]) == [.finish(.init(outcome: .failed))])
    #expect(run(.command(Self.new), .none, [.ended(Self.new, cleanly: false)]) == [.finish(.init(outcome: .failed))])
  }

  @Test("Another server has served when its new process answers and still lives a moment later") func observed() {
    #expect(
      run(.observed(started: nil), .none, [.answering(Self.new), .settled(Self.new)])
        == [.armSettling, .finish(.init(outcome: .served, pid: Self.new))])
    #expect(
      run(.observed(started: Self.new), .none, [.answering(Self.new), .ended(Self.new, cleanly: false)])
        == [.armSettling, .finish(.init(outcome: .failed, pid: Self.new))])
  }

  @Test("A server that goes into the background ends its first process cleanly, and that is no failure")
  func background() {
    #expect(
      run(
        .observed(started: Self.new), .none,
        [.answering(Self.new), .ended(Self.new, cleanly: true), .answering(Self.other), .settled(Self.other)])
        == [.armSettling, .armSettling, .finish(.init(outcome: .served, pid: Self.other))])
  }

  @Test("Whatever comes in whatever order, it finishes at most once, and the limits finish it")
  func everySequence() {
    let events: [Machine.Event] = [
      Self.serving, .paused(Self.new), .ended(Self.new, cleanly: true), .ended(Self.new, cleanly: false),
      .answering(Self.new), .settled(Self.new), .limit, .hangLimit,
    ]
    func walk(_ machine: Machine, _ finished: Int, _ depth: Int) -> Int {
      var wrong = 0
      for event in events {
        var next = machine
        let finishes = next.receive(event).count { if case .finish = $0 { true } else { false } }
        if finished + finishes > 1 { wrong += 1 }
        if depth > 1 { wrong += walk(next, finished + finishes, depth - 1) }
      }
      // Both limits end every restart, wherever it is.
      var last = machine
      let finishes = [Machine.Event.limit, .hangLimit].flatMap { last.receive($0) }.count {
        if case .finish = $0 { true } else { false }
      }
      if finished + finishes != 1 { wrong += 1 }
      return wrong
    }
    for way in [Machine.Way.successor(Self.new), .told(Self.old), .observed(started: Self.new), .command(Self.new)] {
      for fault in RehearsalFault.allCases {
        #expect(walk(Machine(way, fault: fault), 0, 5) == 0, "\(way) \(fault)")
      }
    }
  }
}
