import GracefulShutdown
import GracefulTriggers
import TestHost
import Testing

@testable import GracefulShutdown

@Suite("The reply to a request for a stop", .valuesOnly)
struct StopReplyTests {
  private typealias Machine = StopReplyStateMachine
  private static let begin = ContinuousClock.now
  private static let draining = StopAnswer(state: .draining, phasesLeft: 2)
  private static let fewer = StopAnswer(state: .draining, phasesLeft: 1)
  private static let about = StopAnswer(state: .stopped)
  private static let stopped = StopAnswer(state: .stopped, exitCode: 0)

  @Test("is the end when it comes in time")
  func inTime() {
    var machine = Machine()
    let limit = Self.begin + .seconds(30)
    #expect(machine.receive(.begun(.end(within: .seconds(30)), Self.draining), at: Self.begin) == [.look(at: limit)])
    #expect(machine.receive(.looked(Self.draining), at: Self.begin + .seconds(29)) == [.look(at: limit)])
    #expect(
      machine.receive(.ended(Self.stopped), at: Self.begin + .seconds(29)) == [.answer(.stopped, Self.stopped)])
    #expect(machine.isDone)
    #expect(machine.receive(.looked(Self.stopped), at: limit) == [])
  }

  @Test("is that it is late, with what holds it up, when the time is over")
  func late() {
    var machine = Machine()
    _ = machine.receive(.begun(.end(within: .seconds(1)), Self.draining), at: Self.begin)
    #expect(machine.receive(.looked(Self.fewer), at: Self.begin + .seconds(1)) == [.answer(.late, Self.fewer)])
    #expect(machine.receive(.ended(Self.stopped), at: Self.begin + .seconds(2)) == [])
  }

  @Test("is how far it is, when its server closes")
  func dismissed() {
    var machine = Machine()
    _ = machine.receive(.begun(.end(within: .seconds(1)), Self.draining), at: Self.begin)
    #expect(machine.receive(.dismissed(Self.fewer), at: Self.begin) == [.answer(.accepted, Self.fewer)])
  }

  @Test("as a stream says what is new, shows now and then that it lives, and ends with the end")
  func stream() {
    var machine = Machine()
    var now = Self.begin
    let next = { now + Machine.interval }
    #expect(
      machine.receive(.begun(.progress(for: nil), Self.draining), at: now)
        == [.openStream, .say(Self.draining), .look(at: next())])
    now += .seconds(1)
    #expect(machine.receive(.looked(Self.draining), at: now) == [.look(at: next())])
    #expect(machine.receive(.looked(Self.fewer), at: now) == [.say(Self.fewer), .look(at: next())])
    now += Machine.longestSilence
    #expect(machine.receive(.looked(Self.fewer), at: now) == [.sayNothing, .look(at: next())])
    #expect(machine.receive(.ended(Self.stopped), at: now) == [.closeStream(.stopped, Self.stopped)])
  }

  @Test("as a stream waits for the report once all has ended, and not for ever")
  func streamWithoutReport() {
    var machine = Machine()
    _ = machine.receive(.begun(.progress(for: .seconds(60)), Self.draining), at: Self.begin)
    #expect(
      machine.receive(.looked(Self.about), at: Self.begin) == [.look(at: Self.begin + Machine.interval)])
    #expect(
      machine.receive(.looked(Self.about), at: Self.begin + Machine.patience) == [.closeStream(.stopped, Self.about)])
  }

  @Test("as a stream says that it is late when its time is over")
  func lateStream() {
    var machine = Machine()
    _ = machine.receive(.begun(.progress(for: .milliseconds(50)), Self.draining), at: Self.begin)
    let over = Self.begin + .milliseconds(50)
    #expect(machine.receive(.looked(Self.draining), at: over) == [.closeStream(.late, Self.draining)])
  }

  private static let events: [StopReplyStateMachine.Event] = [
    .begun(.end(within: .seconds(2)), draining), .begun(.end(within: .zero), draining),
    .begun(.progress(for: nil), draining), .begun(.progress(for: .seconds(2)), draining), .looked(draining),
    .looked(fewer), .looked(about), .ended(stopped), .dismissed(fewer), .gone,
  ]

  @Test("in every short sequence of events is one answer at most, whole, and true")
  func everySequence() {
    func explore(_ machine: Machine, _ said: [Machine.Action], _ now: ContinuousClock.Instant, _ depth: Int) -> Int {
      var seen = 1
      guard depth > 0 else { return seen }
      for event in Self.events {
        var machine = machine
        let wasDone = machine.isDone
        let actions = machine.receive(event, at: now)
        let all = said + actions
        let ends = all.count { if case .answer = $0 { true } else if case .closeStream = $0 { true } else { false } }
        let opens = all.count { $0 == .openStream }
        let closes = all.count { if case .closeStream = $0 { true } else { false } }
        #expect(ends <= 1)
        #expect(opens <= 1 && closes <= opens)
        #expect(opens == 0 || ends == closes, "a stream and an answer")
        for case .answer(.stopped, let answer) in actions { #expect(answer.state == .stopped) }
        for case .closeStream(.stopped, let answer) in actions { #expect(answer.state == .stopped) }
        for case .answer(.late, let answer) in actions { #expect(answer.state != .stopped) }
        if wasDone { #expect(actions.allSatisfy { if case .ignored = $0 { true } else { false } }) }
        // Whoever is not done is looked after.
        let looks = actions.contains { if case .look(let at) = $0 { at > now } else { false } }
        switch event {
        case .begun, .looked:
          #expect(machine.isDone || looks || actions.contains { if case .ignored = $0 { true } else { false } })
        case .ended, .dismissed, .gone:
          let isNew = said.allSatisfy { if case .ignored = $0 { true } else { false } }
          #expect(machine.isDone || isNew)
        }
        seen += explore(machine, all, now + .milliseconds(700), depth - 1)
      }
      return seen
    }
    #expect(explore(Machine(), [], Self.begin, 4) == 11_111)
  }

  @Test("remembers that everything was ready, and not what became ready one after the other")
  func memory() {
    var memory = ReadyMemory()
    memory.begin(["database", "web"])
    memory.see(LifecycleEvent(.ready, phase: "database"))
    memory.see(LifecycleEvent(.restarting, phase: "database"))
    memory.see(LifecycleEvent(.ready, phase: "web"))
    #expect(!memory.wasReady)
    memory.see(LifecycleEvent(.ready, phase: "database"))
    #expect(memory.wasReady)
    memory.see(LifecycleEvent(.restarting, phase: "web"))
    #expect(memory.wasReady)
    var stopped = ReadyMemory()
    stopped.begin(["web"])
    stopped.see(LifecycleEvent(.stopRequested, request: StopRequest()))
    stopped.see(LifecycleEvent(.ready, phase: "web"))
    #expect(!stopped.wasReady)
  }
}
