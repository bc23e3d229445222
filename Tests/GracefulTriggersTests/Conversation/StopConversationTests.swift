import GracefulShutdown
import GracefulTriggers
import Testing
import TestHost

@testable import GracefulShutdown

@Suite("The reply to a request for a stop", .valuesOnly)
struct StopConversationTests {
  private typealias Machine = StopConversationStateMachine
  private static let begin = ContinuousClock.now
  private static let draining = StopAnswer(state: .draining, phasesLeft: 2)
  private static let fewer = StopAnswer(state: .draining, phasesLeft: 1)
  private static let about = StopAnswer(state: .stopped)
  private static let stopped = StopAnswer(state: .stopped, exitCode: 0)

  /// A conversation whose stop has been requested and, unless said otherwise, permitted.
  private static func machine(_ interest: Machine.Interest, decided: Machine.Event? = .permitted(draining)) -> Machine {
    var machine = Machine()
    #expect(machine.receive(.requested(interest), at: begin) == [.requestPermission])
    if let decided { _ = machine.receive(decided, at: begin) }
    return machine
  }

  @Test("is the end when it comes in time")
  func inTime() {
    var machine = Self.machine(.end(within: .seconds(30)), decided: nil)
    let limit = Self.begin + .seconds(30)
    #expect(
      machine.receive(.permitted(Self.draining), at: Self.begin)
        == [.requestStop, .accept(Self.draining), .look(at: limit)])
    #expect(machine.receive(.looked(Self.draining), at: Self.begin + .seconds(29)) == [.look(at: limit)])
    #expect(
      machine.receive(.ended(Self.stopped), at: Self.begin + .seconds(29)) == [.finish(.stopped, Self.stopped)])
    #expect(machine.isDone)
    #expect(machine.receive(.looked(Self.stopped), at: limit) == [])
  }

  @Test("is that it is late, with what holds it up, when the time is over")
  func late() {
    var machine = Self.machine(.end(within: .seconds(1)))
    #expect(machine.receive(.looked(Self.fewer), at: Self.begin + .seconds(1)) == [.finish(.late, Self.fewer)])
    #expect(machine.receive(.ended(Self.stopped), at: Self.begin + .seconds(2)) == [])
  }

  @Test("is how far it is, when its server closes")
  func dismissed() {
    var machine = Self.machine(.end(within: .seconds(1)))
    #expect(machine.receive(.dismissed(Self.fewer), at: Self.begin) == [.finish(.accepted, Self.fewer)])
    var undecided = Self.machine(.end(within: .seconds(1)), decided: nil)
    #expect(undecided.receive(.dismissed(Self.fewer), at: Self.begin) == [])
    var refused = undecided
    #expect(
      undecided.receive(.permitted(Self.fewer), at: Self.begin) == [.requestStop, .finish(.accepted, Self.fewer)],
      "what was permitted is not forgotten")
    #expect(refused.receive(.refused("a handover is going on"), at: Self.begin) == [.refuse("a handover is going on")])
  }

  @Test("is that it was accepted, and no more, for a client that does not wait")
  func acceptance() {
    var machine = Self.machine(.acceptance, decided: nil)
    #expect(
      machine.receive(.permitted(Self.draining), at: Self.begin) == [.requestStop, .finish(.accepted, Self.draining)])
    #expect(machine.receive(.ended(Self.stopped), at: Self.begin) == [])
  }

  @Test("is why not, when this is not the process to be stopped, and then nothing is requested")
  func refused() {
    for interest in [Machine.Interest.acceptance, .end(), .changes()] {
      var machine = Self.machine(interest, decided: nil)
      #expect(machine.receive(.refused("process 9 serves"), at: Self.begin) == [.refuse("process 9 serves")])
      #expect(machine.isDone)
    }
  }

  @Test("of a client that has gone before the decision is none, and its stop is requested all the same")
  func gone() {
    var machine = Self.machine(.end(), decided: nil)
    #expect(machine.receive(.gone, at: Self.begin) == [] && !machine.isDone)
    #expect(machine.receive(.permitted(Self.draining), at: Self.begin) == [.requestStop])
    #expect(machine.isDone)
  }

  @Test("shows snapshots as often as is wanted, until the end")
  func snapshots() {
    var machine = Self.machine(.end(snapshotsEvery: .seconds(1)), decided: nil)
    let next = Self.begin + .seconds(1)
    #expect(
      machine.receive(.permitted(Self.draining), at: Self.begin)
        == [.requestStop, .accept(Self.draining), .snapshot, .look(at: next)])
    #expect(machine.receive(.due, at: next) == [.snapshot, .look(at: next + .seconds(1))])
    #expect(machine.receive(.ended(Self.stopped), at: next) == [.finish(.stopped, Self.stopped)])
  }

  @Test("as a stream says what is new, shows now and then that it lives, and ends with the end")
  func stream() {
    var machine = Self.machine(.changes(), decided: nil)
    var now = Self.begin
    let next = { now + Machine.interval }
    #expect(
      machine.receive(.permitted(Self.draining), at: now)
        == [.requestStop, .accept(Self.draining), .say(Self.draining), .look(at: next())])
    now += .seconds(1)
    #expect(machine.receive(.looked(Self.draining), at: now) == [.look(at: next())])
    #expect(machine.receive(.looked(Self.fewer), at: now) == [.say(Self.fewer), .look(at: next())])
    now += Machine.longestSilence
    #expect(machine.receive(.looked(Self.fewer), at: now) == [.sayNothing, .look(at: next())])
    #expect(machine.receive(.ended(Self.stopped), at: now) == [.finish(.stopped, Self.stopped)])
  }

  @Test("as a stream waits for the report once all has ended, and not for ever")
  func streamWithoutReport() {
    var machine = Self.machine(.changes(within: .seconds(60)))
    #expect(
      machine.receive(.looked(Self.about), at: Self.begin) == [.look(at: Self.begin + Machine.interval)])
    #expect(
      machine.receive(.looked(Self.about), at: Self.begin + Machine.patience) == [.finish(.stopped, Self.about)])
  }

  @Test("as a stream says that it is late when its time is over")
  func lateStream() {
    var machine = Self.machine(.changes(within: .milliseconds(50)))
    let over = Self.begin + .milliseconds(50)
    #expect(machine.receive(.looked(Self.draining), at: over) == [.finish(.late, Self.draining)])
  }

  private static let events: [StopConversationStateMachine.Event] = [
    .requested(.acceptance), .requested(.end(within: .seconds(2))), .requested(.end(within: .zero)),
    .requested(.end(snapshotsEvery: .seconds(1))), .requested(.changes()), .requested(.changes(within: .seconds(2))),
    .permitted(draining), .refused("a handover is going on"), .due, .looked(draining), .looked(fewer), .looked(about),
    .ended(stopped), .dismissed(fewer), .gone,
  ]

  /// What has been decided so far, whichever client was told.
  private struct Said {
    var asked = 0
    var requested = 0
    var accepted = 0
    var last = 0
    var isPermitted = false

    mutating func note(_ actions: [Machine.Action], after event: Machine.Event) {
      if case .permitted = event, asked == 1 { isPermitted = true }
      for action in actions {
        switch action {
        case .requestPermission: asked += 1
        case .requestStop:
          requested += 1
          #expect(isPermitted, "requested before it was permitted")
        case .accept:
          accepted += 1
          #expect(requested == 1, "accepted before it was requested")
        case .say, .sayNothing, .snapshot, .look: #expect(accepted == 1 && last == 0)
        case .finish(let outcome, let answer):
          last += 1
          switch outcome {
          case .accepted: #expect(requested == 1)
          case .stopped: #expect(answer.state == .stopped)
          case .late: #expect(requested == 1 && answer.state != .stopped)
          }
        case .refuse:
          last += 1
          #expect(requested == 0)
        case .ignored: break
        }
      }
      #expect(asked <= 1 && requested <= 1 && accepted <= 1 && last <= 1)
    }
  }

  @Test("in every short sequence of events is one answer at most, whole, and true")
  func everySequence() {
    func explore(_ machine: Machine, _ said: Said, _ now: ContinuousClock.Instant, _ depth: Int) -> Int {
      var seen = 1
      guard depth > 0 else { return seen }
      for event in Self.events {
        var machine = machine
        let before = machine
        let actions = machine.receive(event, at: now)
        var said = said
        said.note(actions, after: event)
        let isIgnored = actions.contains { if case .ignored = $0 { true } else { false } }
        if before.isDone { #expect(actions.isEmpty || isIgnored) }
        if isIgnored { #expect(machine == before) }
        for case .look(let instant) in actions { #expect(instant > now) }
        // A client that waits within a time, follows, or is shown snapshots, is looked after until its last word.
        switch event {
        case .permitted, .looked, .due:
          let looks = actions.contains { if case .look = $0 { true } else { false } }
          #expect(machine.isDone || isIgnored || looks, "\(event): \(actions)")
        case .ended:
          #expect(machine.isDone || isIgnored, "\(event): \(actions)")
        case .dismissed: #expect(machine.isDone || isIgnored || said.requested == 0, "\(event): \(actions)")
        case .gone: #expect(machine.isDone || said.requested == 0, "\(event): \(actions)")
        case .requested, .refused: break
        }
        if machine.isDone, !before.isDone {
          var isSilent = event == .gone
          if actions == [.requestStop] || actions.isEmpty { isSilent = true }
          #expect(said.last == 1 || isSilent, "\(event): \(actions)")
        }
        seen += explore(machine, said, now + .milliseconds(700), depth - 1)
      }
      return seen
    }
    #expect(explore(Machine(), Said(), Self.begin, 4) == 54_241)
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
