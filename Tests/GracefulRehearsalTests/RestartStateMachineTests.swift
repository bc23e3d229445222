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
    let finish = Machine.Action.finish(.init(outcome: .served, pid: Self.new, generation: 2, proof: .word))
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

  static let ofNew = Machine.Event.answered(.new(new, .connection), newest: new)
  static let ofOld = Machine.Event.answered(.old(old), newest: nil)
  static let ofOldBesideNew = Machine.Event.answered(.old(old), newest: new)
  static let ofUnknown = Machine.Event.answered(.unknown, newest: nil)
  static let ofUnknownBesideNew = Machine.Event.answered(.unknown, newest: new)
  static let exit = Machine.Event.ended(shell, cleanly: true)
  static let shell = Int32(40)
  static let served = Machine.Action.finish(.init(outcome: .served, pid: new, proof: .connection))

  @Test("A new process and an answer are no proof: the answer must come from it") func observed() {
    let way = Machine.Way.observed(started: Self.new)
    #expect(run(way, .none, [Self.ofOldBesideNew, Self.ofOldBesideNew, .settled]) == [])
    #expect(run(way, .none, [Self.ofOldBesideNew, Self.ofNew, .settled]) == [.armSettling, Self.served])
    #expect(
      run(way, .none, [Self.ofOldBesideNew, .limit])
        == [.kill(Self.new), .finish(.init(outcome: .gaveUp, pid: Self.new, answering: Self.old))])
  }

  @Test("While an old process still answers now and then, the new one is not the server") func both() {
    let way = Machine.Way.observed(started: nil)
    #expect(
      run(way, .none, [Self.ofNew, Self.ofOld, .settled, Self.ofNew, .settled])
        == [.armSettling, .armSettling, Self.served])
    #expect(run(way, .none, [Self.ofNew, .silent, .settled]) == [.armSettling], "it does not answer any more")
    #expect(
      run(.observed(started: Self.new), .none, [Self.ofNew, Self.ofOld, .limit]) == [.armSettling, Self.served],
      "what was started serves, and the old process is left over")
    #expect(
      run(way, .none, [Self.ofNew, Self.ofOld, .limit])
        == [.armSettling, .finish(.init(outcome: .gaveUp, answering: Self.old))])
  }

  @Test("Where it is not to be seen who answers, that is the outcome, and no pass") func notKnown() {
    let unknown = Machine.Action.finish(.init(outcome: .notKnown, pid: Self.new))
    #expect(
      run(.observed(started: Self.new), .none, [Self.ofUnknownBesideNew, .settled]) == [.armDoubting, unknown])
    #expect(
      run(.observed(started: Self.new), .none, [Self.ofUnknownBesideNew, Self.ofNew, .settled])
        == [.armDoubting, .armSettling, Self.served], "proof that comes late is proof")
    #expect(
      run(.observed(started: Self.new), .none, [Self.ofNew, Self.ofUnknownBesideNew, .settled])
        == [.armSettling, Self.served], "a look that saw nothing takes no proof away")
    #expect(
      run(.observed(started: nil), .none, [Self.ofUnknown, .limit]) == [.finish(.init(outcome: .notKnown))])
    #expect(
      run(.command(Self.shell), .none, [Self.ofUnknown, Self.exit, Self.ofUnknown, .settled])
        == [.armDoubting, .finish(.init(outcome: .notKnown))])
  }

  @Test("A shell command that exits with 0 has served nothing by that") func command() {
    let way = Machine.Way.command(Self.shell)
    #expect(run(way, .none, [Self.exit, Self.ofOld, Self.ofOld]) == [])
    #expect(
      run(way, .none, [Self.exit, Self.ofOld, .limit])
        == [.finish(.init(outcome: .gaveUp, pid: Self.shell, answering: Self.old))])
    #expect(run(way, .none, [Self.exit, Self.ofNew, .settled]) == [.armSettling, Self.served])
    #expect(run(way, .none, [Self.ofNew, .settled, Self.exit]) == [.armSettling, Self.served], "it is waited for")
    #expect(run(way, .none, [.ended(Self.shell, cleanly: false)]) == [.finish(.init(outcome: .failed))])
    #expect(
      run(way, .none, [Self.ofNew, .settled, .ended(Self.shell, cleanly: false)])
        == [.armSettling, .finish(.init(outcome: .failed))])
  }

  @Test("On trust a command's exit and a new process are enough, and the report says that it is trust") func trust() {
    func run(_ way: Machine.Way, _ events: [Machine.Event]) -> [Machine.Action] {
      var machine = Machine(way, fault: .none, trusts: true)
      return events.flatMap { machine.receive($0) }
    }
    #expect(run(.command(Self.shell), [Self.ofOld, Self.exit]) == [.finish(.init(outcome: .served, proof: .trust))])
    #expect(
      run(.observed(started: nil), [Self.ofOldBesideNew, .settled])
        == [.armSettling, .finish(.init(outcome: .served, pid: Self.new, proof: .trust))])
    #expect(run(.observed(started: nil), [Self.ofNew, .settled]) == [.armSettling, Self.served])
  }

  @Test("A new process that ends again has not served") func endsAgain() {
    #expect(
      run(.observed(started: Self.new), .none, [Self.ofNew, .ended(Self.new, cleanly: false)])
        == [.armSettling, .finish(.init(outcome: .failed, pid: Self.new))])
    #expect(
      run(.observed(started: nil), .none, [Self.ofNew, .ended(Self.new, cleanly: true), .settled]) == [.armSettling])
  }

  @Test("A server that goes into the background ends its first process cleanly, and that is no failure")
  func background() {
    let other = Machine.Event.answered(.new(Self.other, .connection), newest: Self.other)
    #expect(
      run(.observed(started: Self.new), .none, [Self.ofNew, .ended(Self.new, cleanly: true), other, .settled])
        == [.armSettling, .armSettling, .finish(.init(outcome: .served, pid: Self.other, proof: .connection))])
  }

  @Test("Whatever comes in whatever order, it finishes at most once, and the limits finish it")
  func everySequence() {
    let events: [Machine.Event] = [
      Self.serving, .paused(Self.new), .ended(Self.new, cleanly: true), .ended(Self.new, cleanly: false),
      Self.ofNew, Self.ofOldBesideNew, Self.ofUnknownBesideNew, .silent, .settled, .limit, .hangLimit,
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
        #expect(walk(Machine(way, fault: fault), 0, 4) == 0, "\(way) \(fault)")
      }
    }
  }
}
