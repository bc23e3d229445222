import GracefulShutdown
import Testing

/// S7 as a table: what the machine answers when a phase comes back by itself.
@Suite("The state machine of a lifecycle, with phases that are started again")
struct RestartStateMachineTests {
  private typealias Machine = LifecycleStateMachine
  private typealias Table = StateMachineTests

  private static func policy(
    _ policy: RestartPolicy = .onFailure(), _ change: (inout RestartPolicy) -> Void = { _ in }
  ) -> RestartPolicy {
    var policy = policy
    policy.jitter = 0
    change(&policy)
    return policy
  }

  /// `web` requires `consumer`.
  private static func two(_ policy: RestartPolicy) -> QuietMachine {
    Table.running(Table.machine([.init("consumer", restart: policy), .init("web", requires: ["consumer"])]))
  }

  @Test("It fails, waits, is started again, and what requires it is told to wait meanwhile")
  func again() {
    var machine = Self.two(Self.policy())
    #expect(
      machine.receive(.ended(0, .threw("lost")), at: Table.at(10)) == [
        .restart(0, reason: "lost", after: .milliseconds(100)), .refuse(0), .waiting(1, true),
        .wake(at: Table.at(10) + .milliseconds(100)),
      ])
    #expect(machine.receive(.wake, at: Table.at(10) + .milliseconds(100)) == [.start(0)])
    #expect(machine.receive(.ready(0), at: Table.at(10.2)) == [.ready(0), .admit(0), .waiting(1, false)])
  }

  @Test("The delays grow by the factor up to the maximum, and the count is halved with each decay")
  func delays() {
    var history = RestartHistory()
    let policy = Self.policy(.onFailure(intensity: 100)) { $0.maximumDelay = .seconds(1) }
    func fail(_ second: Double) -> Duration? {
      history.fail("x", policy, chance: 0, since: Table.start, at: Table.at(second))
    }
    #expect((0..<6).map { _ in fail(0) } == [0.1, 0.2, 0.4, 0.8, 1, 1].map { .seconds($0) })
    // Six failures, a delay of 1 s, and 30 s of quiet: three are left, and this one.
    #expect(fail(31) == .seconds(0.8))
    #expect(fail(31.8 + 300) == .seconds(0.1), "all is forgotten")
  }

  @Test("The jitter is a part of the delay, and no more")
  func jitter() {
    for chance in [-1, -0.5, 0, 0.5, 1, 7.0] {
      var history = RestartHistory()
      let delay = history.fail("x", .onFailure(), chance: chance, since: Table.start, at: Table.start)
      #expect(delay.map { $0 >= .milliseconds(80) && $0 <= .milliseconds(120) } == true)
    }
  }

  @Test("More than the intensity within the window, and it gives up: the whole stops as failed, with the history")
  func giveUp() {
    var machine = Self.two(Self.policy(.onFailure(intensity: 2, window: .seconds(60))))
    for second in [1.0, 2] {
      _ = machine.receive(.ended(0, .threw("lost")), at: Table.at(second))
      _ = machine.receive(.wake, at: Table.at(second + 0.9))
      _ = machine.receive(.ready(0), at: Table.at(second + 0.9))
    }
    let actions = machine.receive(.ended(0, .threw("lost")), at: Table.at(3))
    #expect(actions.contains(.drain(1, deadline: Table.at(20))))
    let report = Table.report(machine.receive(.ended(1, .returned), at: Table.at(4)))
    #expect(report?.phases[0].end.error == "gave up after 2 restarts in 60.0 s: lost")
    #expect(report?.phases[0].restarted == 2)
    #expect(report?.phases[0].restarts.map(\.delay) == [.milliseconds(100), .milliseconds(200), nil])
    #expect(report?.exitCode == 1)
  }

  @Test("Failures that are further apart than the window never add up")
  func slowerThanTheWindow() {
    var machine = Self.two(Self.policy(.onFailure(intensity: 1, window: .seconds(60))))
    for minute in 1...20 {
      let now = Table.at(Double(minute) * 60)
      let actions = machine.receive(.ended(0, .threw("lost")), at: now)
      #expect(actions.first == .restart(0, reason: "lost", after: .milliseconds(100)))
      _ = machine.receive(.wake, at: now + .seconds(1))
      _ = machine.receive(.ready(0), at: now + .seconds(1))
    }
  }

  @Test("Intensity 0: the first failure is one too many")
  func never() {
    var machine = Self.two(Self.policy(.onFailure(intensity: 0)))
    let actions = machine.receive(.ended(0, .threw("lost")), at: Table.at(1))
    #expect(actions.contains(.drain(1, deadline: Table.at(18))))
  }

  @Test("Trap 24: a stop ends the wait for a restart, and nothing is started again")
  func stopWhileWaiting() {
    var machine = Self.two(
      Self.policy {
        $0.firstDelay = .seconds(3600); $0.maximumDelay = .seconds(3600)
      })
    _ = machine.receive(.ended(0, .threw("lost")), at: Table.at(1))
    _ = machine.receive(.stop(Table.terminate), at: Table.at(2))
    let report = Table.report(machine.receive(.ended(1, .returned), at: Table.at(3)))
    #expect(report?.took == .seconds(1), "a backoff longer than the grace holds up nothing")
    #expect(report?.phases.map(\.end) == [.drained, .drained])
    #expect(report?.exitCode == 0)
  }

  @Test("always: a clean return is started again, too; onFailure: it stops the whole, unless the policy says otherwise")
  func cleanReturn() {
    var always = Self.two(Self.policy(.always()))
    #expect(always.receive(.ended(0, .returned), at: Table.at(1)).first.map(isRestart) == true)
    var onFailure = Self.two(Self.policy())
    #expect(onFailure.receive(.ended(0, .returned), at: Table.at(1)).contains(.drain(1, deadline: Table.at(18))))
    var failure = Self.two(Self.policy { $0.cleanReturn = .isFailure })
    #expect(failure.receive(.ended(0, .returned), at: Table.at(1)).first.map(isRestart) == true)
  }

  @Test("once: it has done its work, what requires it starts, and the rest runs on")
  func once() {
    var machine = Table.machine([.init("migration", restart: .once), .init("web", requires: ["migration"])])
    _ = machine.receive(.run, at: Table.at(0))
    #expect(machine.receive(.ended(0, .returned), at: Table.at(5)) == [.ready(0), .start(1), .done(0)])
    _ = machine.receive(.ready(1), at: Table.at(6))
    _ = machine.receive(.stop(Table.terminate), at: Table.at(60))
    let report = Table.report(machine.receive(.ended(1, .returned), at: Table.at(61)))
    #expect(report?.phases.map(\.end) == [.endedByItself, .drained])
    #expect(report?.exitCode == 0)
  }

  @Test("once, and nothing else: when every phase has done its work the lifecycle ends")
  func onlyOnce() {
    var machine = Table.machine([.init("migration", restart: .once)])
    _ = machine.receive(.run, at: Table.at(0))
    #expect(Table.report(machine.receive(.ended(0, .returned), at: Table.at(5)))?.exitCode == 0)
  }

  @Test("An error that the policy's filter does not let through stops the whole")
  func filter() {
    var machine = Self.two(Self.policy())
    let actions = machine.receive(.ended(0, .forGood(.threw("bad password"))), at: Table.at(1))
    #expect(actions.contains(.drain(1, deadline: Table.at(18))))
  }

  @Test("Rest-for-one: those that require it stop in order, and are started again after it")
  func restForOne() {
    let policy = Self.policy { $0.dependents = .restart }
    var machine = Table.running(
      Table.machine([
        .init("database", restart: policy), .init("queue", requires: ["database"]),
        .init("web", requires: ["queue"]), .init("metrics"),
      ]))
    let actions = machine.receive(.ended(0, .threw("lost")), at: Table.at(1))
    #expect(actions.contains(.drain(2, deadline: Table.at(18))))
    #expect(!actions.contains { if case .phase(1, .drain) = $0 { true } else { false } })
    #expect(!machine.receive(.wake, at: Table.at(2)).contains(.start(0)), "the delay is over, and those have not ended")
    let next = machine.receive(.ended(2, .returned), at: Table.at(3))
    #expect(next.contains(.renew(2)) && next.contains(.drain(1, deadline: Table.at(18))))
    #expect(machine.receive(.ended(1, .returned), at: Table.at(4)).contains(.start(0)))
    #expect(machine.receive(.ready(0), at: Table.at(5)).contains(.start(1)))
    #expect(machine.receive(.ready(1), at: Table.at(6)).contains(.start(2)))
    _ = machine.receive(.ready(2), at: Table.at(7))
    _ = machine.receive(.stop(Table.terminate), at: Table.at(8))
    for id in [2, 1, 0] { _ = machine.receive(.ended(id, .returned), at: Table.at(9)) }
    let report = Table.report(machine.receive(.ended(3, .returned), at: Table.at(9)))
    #expect(report?.phases.map(\.end) == [.drained, .drained, .drained, .drained])
  }

  @Test("One that is not ready in time is stopped, and started again")
  func slowStart() {
    var machine = Table.machine([.init("consumer", startLimit: .seconds(5), restart: Self.policy())])
    _ = machine.receive(.run, at: Table.at(0))
    #expect(machine.receive(.wake, at: Table.at(5)).contains { if case .phase(0, .drain) = $0 { true } else { false } })
    let actions = machine.receive(.ended(0, .returned), at: Table.at(5))
    #expect(actions.contains(.renew(0)))
    #expect(actions.contains { isRestart($0) })
    #expect(machine.receive(.wake, at: Table.at(6)).contains(.start(0)))
  }

  @Test("One that becomes ready when it stops already to be started again, lets nothing start")
  func readyTooLate() {
    let policy = Self.policy { $0.dependents = .restart }
    var machine = Table.machine([
      .init("a", restart: policy), .init("b", requires: ["a"], restart: Self.policy()), .init("c", requires: ["b"]),
      .init("d", requires: ["b", "e"]), .init("e"),
    ])
    _ = machine.receive(.run, at: Table.at(0))
    for id in 0..<3 { _ = machine.receive(.ready(id), at: Table.at(1)) }
    _ = machine.receive(.ended(1, .threw("lost")), at: Table.at(2))
    #expect(machine.receive(.wake, at: Table.at(3)).contains(.start(1)))
    _ = machine.receive(.ended(0, .threw("lost")), at: Table.at(4))
    // It waits for c to end, and does not know yet that it will be told to stop.
    #expect(!machine.receive(.ready(1), at: Table.at(5)).contains { isAdmission($0) })
    _ = machine.receive(.ended(2, .returned), at: Table.at(6))
    _ = machine.receive(.ended(1, .returned), at: Table.at(7))
    _ = machine.receive(.wake, at: Table.at(8))
    #expect(machine.receive(.ready(0), at: Table.at(9)).contains(.start(1)))
    #expect(machine.receive(.ready(4), at: Table.at(10)) == [.ready(4)], "d has not all that it requires")
    let starts = machine.receive(.ready(1), at: Table.at(11)).filter { $0 == .start(2) || $0 == .start(3) }
    #expect(starts == [.start(2), .start(3)])
  }

  @Test("One that is not ready in time when it is started again does not wait for those that wait for it")
  func slowAgain() {
    var machine = Table.running(
      Table.machine([
        .init("consumer", startLimit: .seconds(5), restart: Self.policy()), .init("web", requires: ["consumer"]),
      ]))
    _ = machine.receive(.ended(0, .threw("lost")), at: Table.at(1))
    #expect(machine.receive(.wake, at: Table.at(2)).contains(.start(0)))
    #expect(machine.receive(.wake, at: Table.at(7)).contains { if case .phase(0, .drain) = $0 { true } else { false } })
    #expect(machine.receive(.ended(0, .returned), at: Table.at(7)).contains(.renew(0)))
    #expect(machine.receive(.wake, at: Table.at(8)).contains(.start(0)))
    #expect(machine.receive(.ready(0), at: Table.at(9)) == [.ready(0), .admit(0), .waiting(1, false)])
    _ = machine.receive(.stop(Table.terminate), at: Table.at(10))
    #expect(
      machine.receive(.ended(1, .returned), at: Table.at(11)).contains {
        if case .phase(0, .drain) = $0 { true } else { false }
      })
    #expect(Table.report(machine.receive(.ended(0, .returned), at: Table.at(12)))?.exitCode == 0)
  }

  private func isAdmission(_ action: Machine.Action) -> Bool {
    switch action {
    case .phase(_, .admit), .phase(_, .start): true
    default: false
    }
  }

  private func isRestart(_ action: Machine.Action) -> Bool {
    if case .phase(_, .restart) = action { true } else { false }
  }

  @Test("One that came back after the stop was told is not late for its start, although others hold up its turn")
  func stopDuringRestart() throws {
    let start = PhaseGraph.Declaration("consumer", startLimit: .seconds(5), restart: Self.policy())
    var machine = Table.running(Table.machine([start, .init("web", requires: ["consumer"])]))
    _ = machine.receive(.ended(0, .threw("lost")), at: Table.at(1))
    _ = machine.receive(.wake, at: Table.at(1.5))
    _ = machine.receive(.stop(StopRequest(source: .signal(15))), at: Table.at(2))
    _ = machine.receive(.ended(0, .returned), at: Table.at(2.1))
    _ = machine.receive(.wake, at: Table.at(6.5))
    let report = try #require(Table.report(machine.receive(.ended(1, .returned), at: Table.at(8))))
    #expect(report.exitCode == 0, "\(report.text)")
  }

  @Test("One that is done does not keep a lifecycle alive in which everything else was stopped alone")
  func onlyDone() {
    var machine = Table.running(Table.machine([.init("migration", restart: .once), .init("web")]))
    let done = machine.receive(.ended(0, .returned), at: Table.at(1))
    #expect(!done.contains { if case .phase(_, .drain) = $0 { true } else { false } }, "\(done)")
    _ = machine.receive(.stopPhase(1, .drain), at: Table.at(2))
    _ = machine.receive(.emptied(1), at: Table.at(2))
    let actions = machine.receive(.ended(1, .returned), at: Table.at(3))
    #expect(actions.contains { if case .phase(0, .drain) = $0 { true } else { false } }, "\(actions)")
  }

  @Test("A filter has no say in how a phase ends that was told to stop")
  func filterAfterStop() throws {
    var machine = Table.running(Table.machine([.init("web", restart: Self.policy())]))
    _ = machine.receive(.stop(StopRequest(source: .signal(15))), at: Table.at(1))
    _ = machine.receive(.emptied(0), at: Table.at(1))
    let report = try #require(
      Table.report(machine.receive(.ended(0, .forGood(.cutShort("2 connections"))), at: Table.at(2))))
    #expect(report.exitCode == 124)
  }
}
