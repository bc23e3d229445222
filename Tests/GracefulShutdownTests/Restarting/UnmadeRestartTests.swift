import GracefulShutdown
import Testing

/// A restart that was decided and did not come is not told as one.
@Suite("A stop that comes while a phase waits to be started again")
struct UnmadeRestartTests {
  private typealias Machine = LifecycleStateMachine
  private typealias Table = StateMachineTests

  private static func policy(_ change: (inout RestartPolicy) -> Void = { _ in }) -> RestartPolicy {
    var policy = RestartPolicy.onFailure()
    policy.jitter = 0
    policy.firstDelay = .seconds(100)
    policy.maximumDelay = .seconds(100)
    change(&policy)
    return policy
  }

  @Test("reports the failure, and no restart: none came")
  func stopped() throws {
    var machine = Table.running(Table.machine([.init("consumer", restart: Self.policy())]))
    _ = machine.receive(.ended(0, .threw("lost")), at: Table.at(1))
    let report = try #require(Table.report(machine.receive(.stop(Table.terminate), at: Table.at(2))))
    #expect(report.phases[0].restarted == 0)
    #expect(report.phases[0].restarts == [RestartReport(after: .seconds(1), reason: "lost", delay: nil)])
    #expect(report.text.contains("never restarted\n"), "\(report.text)")
    #expect(report.text.contains("at 1.000 s, not started again: lost\n"), "\(report.text)")
    #expect(report.exitCode == 0)
  }

  @Test("counts those that came before")
  func after() throws {
    var machine = Table.running(Table.machine([.init("consumer", restart: Self.policy())]))
    _ = machine.receive(.ended(0, .threw("lost")), at: Table.at(1))
    #expect(machine.receive(.wake, at: Table.at(101)) == [.start(0)])
    _ = machine.receive(.ended(0, .threw("again")), at: Table.at(102))
    let report = try #require(Table.report(machine.receive(.stop(Table.terminate), at: Table.at(103))))
    #expect(report.phases[0].restarted == 1)
    #expect(report.phases[0].restarts.map(\.delay) == [.seconds(100), nil])
    #expect(report.text.contains("restarted once\n"), "\(report.text)")
  }

  @Test("A restart that waited for other phases, too, is told with the time that it took")
  func waited() throws {
    let database = Self.policy {
      $0.dependents = .restart; $0.firstDelay = .seconds(1)
    }
    var machine = Table.running(
      Table.machine([.init("database", restart: database), .init("web", requires: ["database"])]))
    _ = machine.receive(.ended(0, .threw("lost")), at: Table.at(1))
    #expect(!machine.receive(.wake, at: Table.at(2)).contains(.start(0)), "web has not ended")
    #expect(machine.receive(.ended(1, .returned), at: Table.at(9)).contains(.start(0)))
    _ = machine.receive(.ready(0), at: Table.at(9))
    _ = machine.receive(.ready(1), at: Table.at(9))
    _ = machine.receive(.stop(Table.terminate), at: Table.at(10))
    _ = machine.receive(.ended(1, .returned), at: Table.at(10))
    let report = try #require(Table.report(machine.receive(.ended(0, .returned), at: Table.at(10))))
    #expect(report.phases[0].restarts.map(\.delay) == [.seconds(8)])
    #expect(report.phases[0].restarted == 1)
  }

  @Test("With the first restart at once the delays are 0, 1, 2, 4 and 8 s, as canstop's")
  func firstAtOnce() {
    let policy = Self.policy {
      $0.firstAtOnce = true
      $0.firstDelay = .seconds(1)
      $0.maximumDelay = .seconds(8)
      $0.window = .zero
    }
    var history = RestartHistory()
    let delays = (0..<6).map { _ in history.fail("x", policy, chance: 0, since: Table.start, at: Table.start) }
    #expect(delays == [.zero, .seconds(1), .seconds(2), .seconds(4), .seconds(8), .seconds(8)])
  }
}
