import Testing

@testable import Graceful

@Suite("What systemd is told, as a value")
struct NotifyStateMachineTests {
  private static let start = ContinuousClock.now
  private static func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

  private static func running() -> NotifyStateMachine {
    var machine = NotifyStateMachine()
    _ = machine.receive(.begin(["database", "web"]), at: at(0))
    _ = machine.receive(.ready("database"), at: at(0))
    _ = machine.receive(.looked("starting", left: nil), at: at(0))
    _ = machine.receive(.ready("web"), at: at(0))
    _ = machine.receive(.wake, at: at(1))
    _ = machine.receive(.looked("running", left: nil), at: at(1))
    return machine
  }

  @Test("READY=1 when everything is ready, once")
  func ready() {
    var machine = NotifyStateMachine()
    #expect(machine.receive(.begin(["database", "web"]), at: Self.at(0)) == [.wake(at: Self.at(1))])
    #expect(machine.receive(.ready("web"), at: Self.at(0.2)).isEmpty, "not more than once a second")
    #expect(machine.receive(.wake, at: Self.at(1)) == [.look])
    #expect(
      machine.receive(.looked("starting: 1 of 2 phases are ready", left: nil), at: Self.at(1))
        == [.send(["STATUS=starting: 1 of 2 phases are ready"])])
    #expect(machine.receive(.ready("database"), at: Self.at(1.1)) == [.send(["READY=1", "STATUS=running"])])
    #expect(machine.receive(.ready("database"), at: Self.at(9)) == [.look], "after a restart it is no news")
    var empty = NotifyStateMachine()
    #expect(empty.receive(.begin([]), at: Self.at(0)) == [.send(["READY=1", "STATUS=running"])])
  }

  @Test("STOPPING=1 at once, then what drains once a second, and a promise every five seconds, within the grace")
  func stopping() {
    var machine = Self.running()
    #expect(
      machine.receive(.stop(by: "SIGTERM", successor: nil), at: Self.at(3))
        == [.send(["STOPPING=1", "STATUS=stopping, asked by SIGTERM"]), .look])
    #expect(
      machine.receive(.looked("a", left: .seconds(25)), at: Self.at(3))
        == [.send(["EXTEND_TIMEOUT_USEC=10000000"]), .wake(at: Self.at(4))])
    #expect(machine.receive(.changed, at: Self.at(3.5)).isEmpty, "a wake-up is on its way")
    #expect(machine.receive(.wake, at: Self.at(4)) == [.look])
    #expect(
      machine.receive(.looked("b", left: .seconds(24)), at: Self.at(4)) == [.send(["STATUS=b"]), .wake(at: Self.at(5))])
    _ = machine.receive(.wake, at: Self.at(8))
    #expect(
      machine.receive(.looked("b", left: .seconds(3)), at: Self.at(8))
        == [.send(["EXTEND_TIMEOUT_USEC=4000000"]), .wake(at: Self.at(9))], "no longer than the grace, and its exit")
    _ = machine.receive(.wake, at: Self.at(20))
    #expect(machine.receive(.looked("b", left: .seconds(-1)), at: Self.at(20)) == [.wake(at: Self.at(21))])
    #expect(machine.receive(.finished(exitCode: 0), at: Self.at(21)) == [.send(["STATUS=stopped, exit 0"])])
    #expect(machine.receive(.wake, at: Self.at(22)).isEmpty)
  }

  @Test("A process that was taken over from does not say that the service stops, and names its successor at the end")
  func predecessor() {
    var machine = Self.running()
    let actions = machine.receive(.stop(by: "successor 7", successor: 7), at: Self.at(3))
    #expect(actions == [.look])
    let status = machine.receive(.looked("draining web", left: .seconds(25)), at: Self.at(3))
    #expect(status == [.send(["STATUS=draining web"]), .wake(at: Self.at(4))], "and asks for no time: nothing stops")
    #expect(
      machine.receive(.finished(exitCode: 124), at: Self.at(9))
        == [.send(["MAINPID=7", "STATUS=handed over to process 7"])])
  }

  @Test("A stop that comes first, and one that comes later, do not hide the successor")
  func both() {
    var first = Self.running()
    _ = first.receive(.stop(by: "SIGTERM", successor: nil), at: Self.at(1))
    _ = first.receive(.stop(by: "successor 7", successor: 7), at: Self.at(2))
    #expect(
      first.receive(.finished(exitCode: 0), at: Self.at(3)).contains(
        .send(["MAINPID=7", "STATUS=handed over to process 7"])))
    var later = Self.running()
    _ = later.receive(.stop(by: "successor 7", successor: 7), at: Self.at(1))
    let stop = later.receive(.stop(by: "SIGTERM", successor: nil), at: Self.at(2))
    #expect(stop.first == .send(["STOPPING=1", "STATUS=stopping, asked by SIGTERM"]))
    #expect(
      later.receive(.finished(exitCode: 0), at: Self.at(3)).contains(
        .send(["MAINPID=7", "STATUS=handed over to process 7"])))
  }

  @Test("A successor keeps silent until its predecessor has ended, and then says all at once")
  func successor() {
    var machine = NotifyStateMachine()
    _ = machine.receive(.begin(["web"]), at: Self.at(0))
    _ = machine.receive(.looked("starting", left: nil), at: Self.at(0))
    #expect(machine.receive(.inherited, at: Self.at(0.1)).isEmpty)
    #expect(machine.receive(.ready("web"), at: Self.at(0.2)).isEmpty)
    var ended = machine
    #expect(
      ended.receive(.predecessorEnded(own: 9), at: Self.at(5)).first
        == .send(["MAINPID=9", "READY=1", "STATUS=running"]))
    #expect(ended.receive(.predecessorEnded(own: 9), at: Self.at(6)).isEmpty)
    _ = machine.receive(.stop(by: "SIGTERM", successor: nil), at: Self.at(4))
    #expect(
      machine.receive(.predecessorEnded(own: 9), at: Self.at(5)).first
        == .send(["MAINPID=9", "STOPPING=1", "STATUS=stopping, asked by SIGTERM"]))
  }

  @Test("Whatever comes in whatever order, nothing is said after the end, and READY=1 and STOPPING=1 at most once")
  func everyOrder() {
    let events: [NotifyStateMachine.Event] = [
      .begin(["web"]), .ready("web"), .changed, .stop(by: "SIGTERM", successor: nil), .stop(by: "7", successor: 7),
      .looked("x", left: .seconds(9)), .wake, .inherited, .predecessorEnded(own: 9), .finished(exitCode: 1),
    ]
    var level: [(machine: NotifyStateMachine, said: [String])] = [(NotifyStateMachine(), [])]
    for step in 0..<5 {
      level = level.flatMap { position in
        events.map { event in
          var (machine, said) = position
          let wasFinished = machine.state == .finished
          let actions = machine.receive(event, at: Self.at(Double(step) * 2))
          #expect(!wasFinished || actions.isEmpty)
          for case .send(let lines) in actions {
            said += lines.filter { $0 == "READY=1" || $0 == "STOPPING=1" }
            #expect(!lines.isEmpty && lines.allSatisfy { !$0.contains("\n") })
          }
          // A successor that speaks up says it again for itself.
          if !said.isEmpty, case .predecessorEnded = event { return (machine, []) }
          #expect(said.count { $0 == "READY=1" } <= 1, "\(said)")
          #expect(said.count { $0 == "STOPPING=1" } <= 1, "\(said)")
          return (machine, said)
        }
      }
    }
  }
}
