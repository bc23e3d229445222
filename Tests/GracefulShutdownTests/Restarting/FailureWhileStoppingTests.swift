import GracefulShutdown
import Testing

/// S7: what a phase throws when it cleans up for another one's restart is not lost because it runs again.
@Suite("A phase that fails while it stops to be started again")
struct FailureWhileStoppingTests {
  private typealias Table = StateMachineTests

  private static func policy(_ dependents: RestartPolicy.Dependents) -> RestartPolicy {
    var policy = RestartPolicy.onFailure()
    policy.jitter = 0
    policy.dependents = dependents
    return policy
  }

  /// `database` has failed, and `web`, which requires it, has thrown when it was stopped for that.
  private static func failed(_ outcome: LifecycleStateMachine.Outcome) -> QuietMachine {
    var machine = Table.running(
      Table.machine([.init("database", restart: policy(.restart)), .init("web", requires: ["database"])]))
    _ = machine.receive(.ended(0, .threw("lost")), at: Table.at(1))
    let actions = machine.receive(.ended(1, outcome), at: Table.at(2))
    #expect(actions.contains(.renew(1)) && actions.contains(.start(0)))
    return machine
  }

  private static func end(_ machine: inout QuietMachine) -> LifecycleReport? {
    _ = machine.receive(.stop(Table.terminate), at: Table.at(8))
    _ = machine.receive(.ended(1, .returned), at: Table.at(9))
    return Table.report(machine.receive(.ended(0, .returned), at: Table.at(9)))
  }

  @Test("It runs again, and the report has its error, when that was, and when it was started again")
  func again() {
    var machine = Self.failed(.threw("flush failed"))
    #expect(machine.receive(.ready(0), at: Table.at(5)).contains(.start(1)))
    _ = machine.receive(.ready(1), at: Table.at(6))
    let report = Self.end(&machine)
    #expect(report?.phases[1].end == .drained)
    #expect(
      report?.phases[1].restarts == [
        RestartReport(
          after: .seconds(2), reason: "while it stopped to be started again: flush failed", delay: .seconds(3))
      ])
    #expect(report?.phases[1].restarted == 1)
    #expect(report?.exitCode == 0, "it was started again for it, as the one that it requires")
    #expect(report?.text.contains("restarted once\n") == true)
    #expect(report?.text.contains("at 2.000 s, again after 3.000 s: while it stopped to be") == true)
  }

  @Test("Work that it had to cut is told as well")
  func cutShort() {
    var machine = Self.failed(.cutShort("2 orders"))
    _ = machine.receive(.ready(0), at: Table.at(5))
    _ = machine.receive(.ready(1), at: Table.at(6))
    let report = Self.end(&machine)
    #expect(report?.phases[1].restarts.map(\.reason) == ["while it stopped to be started again: 2 orders"])
    #expect(report?.stragglers.isEmpty == true, "it was late in no stop")
    #expect(report?.exitCode == 0)
  }

  @Test("It never runs again: that is how it ended, and it is said once")
  func never() {
    var machine = Self.failed(.threw("flush failed"))
    _ = machine.receive(.stop(Table.terminate), at: Table.at(4))
    let report = Table.report(machine.receive(.ended(0, .returned), at: Table.at(5)))
    #expect(report?.phases[1].end == .failed("flush failed"))
    #expect(report?.phases[1].restarts.isEmpty == true)
    #expect(report?.exitCode == 1)
  }

  @Test("It was well, and is in the history for no restart of another")
  func well() {
    var machine = Self.failed(.threwCancellation)
    _ = machine.receive(.ready(0), at: Table.at(5))
    _ = machine.receive(.ready(1), at: Table.at(6))
    let report = Self.end(&machine)
    #expect(report?.phases[1].restarts.isEmpty == true)
    #expect(report?.phases[1].restarted == 0)
  }

  @Test("It was not ready in time, and failed when it was stopped for that: the history has both")
  func slow() {
    var machine = Table.machine([.init("consumer", startLimit: .seconds(5), restart: Self.policy(.wait))])
    _ = machine.receive(.run, at: Table.at(0))
    _ = machine.receive(.wake, at: Table.at(5))
    _ = machine.receive(.ended(0, .threw("flush failed")), at: Table.at(6))
    _ = machine.receive(.wake, at: Table.at(7))
    _ = machine.receive(.ready(0), at: Table.at(8))
    _ = machine.receive(.stop(Table.terminate), at: Table.at(9))
    let report = Table.report(machine.receive(.ended(0, .returned), at: Table.at(10)))
    #expect(
      report?.phases[0].restarts.map(\.reason) == [
        "not ready within its start limit of 5.000 s; while it stopped for that: flush failed"
      ])
    #expect(report?.phases[0].restarted == 1)
  }
}
