import Exploration
import TestHost
import Testing

@testable import GracefulNIO

@Suite("What a server tells its connections", .valuesOnly)
struct ServerDrainStateMachineTests {
  private let now = ContinuousClock.now

  @Test("A listener closes only when what was accepted last is set up")
  func listenerWaits() {
    var machine = ServerDrainStateMachine()
    #expect(machine.receive(.accepted(1), at: now) == [])
    #expect(machine.receive(.closeListener, at: now) == [.accept(false)])
    #expect(machine.receive(.startAccepting, at: now) == [])
    #expect(machine.receive(.isSetUp(1), at: now) == [.closeListener])
    #expect(machine.receive(.listenerClosed, at: now) == [.listenerIsGone])
    #expect(machine.receive(.closeListener, at: now) == [.listenerIsGone])
    #expect(machine.count == 1)
  }

  @Test("A listener that another process ends listens again, and accepts again if it is to")
  func listensAgain() {
    var machine = ServerDrainStateMachine()
    #expect(machine.receive(.listenerClosed, at: now) == [.listenAgain])
    #expect(machine.receive(.startAccepting, at: now) == [])
    #expect(machine.receive(.listensAgain, at: now) == [.accept(true)])
    #expect(machine.receive(.listenerClosed, at: now) == [.listenAgain])
    #expect(machine.receive(.pauseAccepting, at: now) == [])
    #expect(machine.receive(.listensAgain, at: now) == [])
    #expect(machine.receive(.startAccepting, at: now) == [.accept(true)])
  }

  @Test("A listener that another process ends, and cannot listen again, is lost; when it was to close, it is closed")
  func cannotListen() {
    var machine = ServerDrainStateMachine()
    _ = machine.receive(.listenerClosed, at: now)
    #expect(machine.receive(.cannotListen, at: now) == [.listenerIsLost, .listenerIsGone])
    #expect(machine.receive(.drain(until: now + .seconds(1)), at: now).last == .drained(DrainOutcome()))
    machine = ServerDrainStateMachine()
    _ = machine.receive(.listenerClosed, at: now)
    #expect(machine.receive(.closeListener, at: now) == [.listenerIsGone])
    #expect(machine.receive(.cannotListen, at: now) == [])
    #expect(machine.receive(.listensAgain, at: now) == [.closeListener])
  }

  @Test("A listener that accepts closes only when nobody waits any more, or when the limit has come")
  func queueFirst() {
    var machine = ServerDrainStateMachine()
    #expect(machine.receive(.startAccepting, at: now) == [.accept(true)])
    #expect(machine.receive(.closeListener, at: now) == [.emptyQueue])
    #expect(machine.receive(.closeListener, at: now) == [])
    #expect(machine.receive(.accepted(1), at: now) == [])
    #expect(machine.receive(.queueIsEmpty, at: now) == [.accept(false)])
    #expect(machine.receive(.queueIsEmpty, at: now) == [])
    #expect(machine.receive(.isSetUp(1), at: now) == [.closeListener])

    var late = ServerDrainStateMachine()
    _ = late.receive(.startAccepting, at: now)
    #expect(late.receive(.drain(until: now), at: now).first == .emptyQueue)
    #expect(late.receive(.deadline, at: now).prefix(2) == [.accept(false), .closeListener])
  }

  @Test("A listener that is paused closes at once: the queue is a successor's")
  func queueOfAnother() {
    var machine = ServerDrainStateMachine()
    _ = machine.receive(.startAccepting, at: now)
    _ = machine.receive(.pauseAccepting, at: now)
    #expect(machine.receive(.closeListener, at: now) == [.accept(false), .closeListener])

    var emptying = ServerDrainStateMachine()
    _ = emptying.receive(.startAccepting, at: now)
    _ = emptying.receive(.closeListener, at: now)
    #expect(emptying.receive(.pauseAccepting, at: now) == [.accept(false), .closeListener])
  }

  @Test("A connection that is not set up when the drain begins hears of it when it is")
  func lateConnection() {
    var machine = ServerDrainStateMachine()
    for id in 1...2 { _ = machine.receive(.accepted(id), at: now) }
    _ = machine.receive(.isSetUp(1), at: now)
    let until = now + .seconds(8)
    let armed = ServerDrainStateMachine.Action.arm([
      .init(kind: .idleLimit, at: until - .milliseconds(250)), .init(kind: .deadline, at: until),
    ])
    #expect(machine.receive(.drain(until: until), at: now) == [.accept(false), .tell([1], .drain), armed])
    #expect(machine.receive(.isSetUp(2), at: now) == [.tell([2], .drain), .closeListener])
    #expect(machine.receive(.idleLimit, at: now) == [.tell([1, 2], .closeIdle)])
    #expect(
      machine.receive(.deadline, at: now) == [
        .tell([1, 2], .cut), .arm([.init(kind: .giveUp, at: now + .milliseconds(500))]),
      ])
  }

  @Test("A short time to drain keeps a quarter of itself for the idle connections")
  func shortTime() {
    var machine = ServerDrainStateMachine()
    let until = now + .milliseconds(400)
    let actions = machine.receive(.drain(until: until), at: now)
    #expect(
      actions.contains(
        .arm([.init(kind: .idleLimit, at: now + .milliseconds(300)), .init(kind: .deadline, at: until)])))
  }

  @Test("A second drain joins, and the nearer deadline holds")
  func joins() {
    var machine = ServerDrainStateMachine()
    _ = machine.receive(.accepted(1), at: now)
    _ = machine.receive(.drain(until: now + .seconds(8)), at: now)
    #expect(machine.receive(.drain(until: now + .seconds(9)), at: now) == [])
    #expect(machine.receive(.drain(until: now + .seconds(4)), at: now).count == 1)
  }

  @Test("What does not close although it was cut is counted as cut, and the drain ends")
  func givesUp() {
    var machine = ServerDrainStateMachine()
    _ = machine.receive(.accepted(1), at: now)
    _ = machine.receive(.isSetUp(1), at: now)
    _ = machine.receive(.drain(until: now), at: now)
    _ = machine.receive(.deadline, at: now)
    #expect(machine.receive(.giveUp, at: now) == [.drained(DrainOutcome(cut: 1))])
    #expect(machine.receive(.connectionClosed(1), at: now) == [])
    #expect(machine.receive(.drain(until: now), at: now) == [.drained(DrainOutcome(cut: 1))])
  }

  @Test("A connection that is never set up does not keep the listener open beyond the limit")
  func neverSetUp() {
    var machine = ServerDrainStateMachine()
    _ = machine.receive(.accepted(1), at: now)
    _ = machine.receive(.drain(until: now), at: now)
    _ = machine.receive(.deadline, at: now)
    #expect(machine.receive(.giveUp, at: now) == [.closeListener, .drained(DrainOutcome(cut: 1))])
  }

  @Test(
    "In any order of events each connection hears every signal once it is set up, and is counted once",
    arguments: 0..<500 as Range<UInt64>)
  func anyOrder(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var machine = ServerDrainStateMachine()
    var told: [Int: DrainSignal] = [:]
    var alive: Set<Int> = []
    var setUp: Set<Int> = []
    var last: DrainSignal?
    var aliveAtDrain = 0
    var accepting = true
    var outcomes: [DrainOutcome] = []

    func apply(_ event: ServerDrainStateMachine.Event) {
      var listenerCloses = false
      for action in machine.receive(event, at: now) {
        switch action {
        case .accept(let wanted): accepting = wanted
        case .closeListener:
          #expect(!accepting && alive.isSubset(of: setUp))
          listenerCloses = true
        case .listenerIsGone, .arm, .emptyQueue, .listenAgain, .listenerIsLost: break
        case .tell(let ids, let signal):
          for id in ids {
            #expect(setUp.contains(id) && told[id] != signal)
            told[id] = signal
          }
        case .drained(let outcome): outcomes.append(outcome)
        }
      }
      for id in alive.intersection(setUp) { #expect(told[id] == last) }
      if listenerCloses { apply(.listenerClosed) }
    }

    // Whether it accepts, and so empties its queue first.
    if seed.isMultiple(of: 2) { apply(.startAccepting) }
    for id in 0..<60 {
      switch Int.random(in: 0..<11, using: &random) {
      case 10: apply(.queueIsEmpty)
      case 0..<4 where accepting:
        alive.insert(id)
        if last != nil { aliveAtDrain += 1 }
        apply(.accepted(id))
      case 4..<7:
        guard let id = alive.subtracting(setUp).sorted().randomElement(using: &random) else { continue }
        setUp.insert(id)
        apply(.isSetUp(id))
      case 7:
        guard let id = alive.sorted().randomElement(using: &random) else { continue }
        alive.remove(id)
        apply(.connectionClosed(id))
      case 8 where id > 20 && last == nil:
        (last, aliveAtDrain) = (.drain, alive.count)
        apply(.drain(until: now + .seconds(1)))
      case 9 where last == .drain:
        last = .closeIdle
        apply(.idleLimit)
      default: break
      }
    }
    if last == nil {
      (last, aliveAtDrain) = (.drain, alive.count)
      apply(.drain(until: now))
    }
    last = .cut
    apply(.deadline)
    for id in alive.sorted() {
      setUp.insert(id)
      apply(.isSetUp(id))
      alive.remove(id)
      apply(.noted(id, .cut))
      apply(.connectionClosed(id))
    }
    #expect(outcomes.count == 1)
    let total = outcomes.first.map { $0.finished + $0.closedIdle + $0.cut + $0.broken }
    #expect(total == aliveAtDrain && machine.count == 0)
  }
}
