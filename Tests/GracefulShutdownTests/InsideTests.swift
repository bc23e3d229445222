import GracefulShutdown
import Testing

/// The half of a phase's end that is its gate: what the state machine does while a session is inside.
@Suite("The state machine of a lifecycle, with sessions inside")
struct InsideTests {
  private typealias Table = StateMachineTests

  @Test("S3: the turn comes when nobody is inside any more, and not before")
  func inside() {
    var machine = Table.running(Table.machine([.init("web")])).machine
    _ = machine.receive(.stop(Table.terminate), at: Table.at(0))
    #expect(machine.receive(.emptied(0), at: Table.at(3)) == [.turn(0, deadline: Table.at(17))])
    #expect(machine.receive(.ended(0, .returned), at: Table.at(4)).first == .release(0, .drained))
  }

  @Test("A phase has not ended while somebody is inside, although its body has")
  func bodyFirst() {
    var machine = Table.running(Table.chain()).machine
    _ = machine.receive(.stop(Table.terminate), at: Table.at(0))
    #expect(machine.receive(.ended(2, .returned), at: Table.at(1)).isEmpty)
    #expect(
      machine.receive(.emptied(2), at: Table.at(2)) == [.release(2, .drained), .drain(1, deadline: Table.at(17))])
  }

  @Test("S5: what is inside is cancelled first, then the body has its turn and is cancelled, then it is abandoned")
  func cutFirst() {
    var machine = Table.running(Table.machine([.init("web")])).machine
    _ = machine.receive(.stop(Table.terminate), at: Table.at(0))
    #expect(machine.receive(.wake, at: Table.at(17)) == [.cut(0), .wake(at: Table.at(18))])
    #expect(
      machine.receive(.wake, at: Table.at(18)) == [
        .turn(0, deadline: Table.at(19)), .cancel(0, deadline: Table.at(19)), .wake(at: Table.at(19)),
      ])
    let report = Table.report(machine.receive(.wake, at: Table.at(19)))
    #expect(report?.phases.map(\.end) == [.abandoned])
  }

  @Test("What was inside ends when it is cancelled: the body has its turn with the time that is left")
  func cutAndEmpty() {
    var machine = Table.running(Table.machine([.init("web")])).machine
    _ = machine.receive(.stop(Table.terminate), at: Table.at(0))
    _ = machine.receive(.wake, at: Table.at(17))
    let actions = machine.receive(.emptied(0), at: Table.at(17.5))
    #expect(actions.prefix(2) == [.turn(0, deadline: Table.at(19)), .cancel(0, deadline: Table.at(19))])
    let report = Table.report(machine.receive(.ended(0, .returned), at: Table.at(18)))
    #expect(report?.phases.map(\.end) == [.cancelled])
    #expect(report?.exitCode == 124, "its sessions were cut")
  }
}
