import GracefulShutdown
import Testing

@Suite("A configuration")
struct ConfigurationTests {
  @Test("Every mistake is collected, nothing starts, exit 78")
  func collected() throws {
    var machine = StateMachineTests.machine(
      [
        .init("a", requires: ["c"]), .init("b", requires: ["a"]), .init("c", requires: ["b", "nobody"]),
        .init("b", limit: .zero), .init("fine"), .init("self", requires: ["self"], limit: .seconds(-1)),
      ], grace: .zero)
    let report = try #require(StateMachineTests.report(machine.receive(.run, at: .now)))
    #expect(report.exitCode == 78)
    #expect(report.phases.allSatisfy { $0.end == .neverStarted })
    let text = report.mistakes.map(\.description)
    #expect(text.count == 6)
    for part in [
      "two phases are called \"b\"", "\"c\" requires \"nobody\"", "limit of phase \"b\" is 0.0 seconds",
      "limit of phase \"self\" is -1.0 seconds", "a → c → b → a", "the grace is 0.0 seconds",
    ] {
      #expect(text.contains { $0.contains(part) }, "\(part) in \(text)")
    }
    #expect(report.text.contains("exit 78: the configuration is wrong"))
  }

  @Test("A phase that requires itself is a circle of one")
  func itself() {
    let mistakes = PhaseGraph([.init("a", requires: ["a"])]).mistakes
    #expect(mistakes.map(\.description).contains { $0.contains("a → a") })
  }

  @Test("A requirement that is named twice counts once")
  func twice() {
    var machine = StateMachineTests.machine([.init("a"), .init("b", requires: ["a", "a"])])
    _ = machine.receive(.run, at: .now)
    #expect(machine.receive(.ready(0), at: .now) == [.ready(0), .start(1)])
  }

  @Test("A chain of ten thousand phases starts and stops in order")
  func longChain() {
    let count = 10_000
    var machine = StateMachineTests.machine(
      (0..<count).map { .init("\($0)", requires: $0 == 0 ? [] : ["\($0 - 1)"]) })
    _ = machine.receive(.run, at: .now)
    for id in 0..<count { _ = machine.receive(.ready(id), at: .now) }
    _ = machine.receive(.stop(StopRequest()), at: .now)
    var last: [LifecycleStateMachine.Action] = []
    for id in (0..<count).reversed() { last = machine.receive(.ended(id, .returned), at: .now) }
    #expect(StateMachineTests.report(last)?.exitCode == 0)
  }

  @Test(
    "S4: cancel limit and reserve are 2 s and 1 s, under 12 s of grace a quarter of it at most",
    arguments: [(25.0, 2.0, 1.0), (12, 2, 1), (10, 2, 1), (8, 2, 1), (6, 1.5, 1), (2, 0.5, 0.5), (0.4, 0.1, 0.1)])
  func timetable(grace: Double, cancelLimit: Double, reserve: Double) {
    let now = MonotonicInstant.now
    var table = StopTimetable(grace: .seconds(grace), at: now)
    #expect(table.deadline == now + .seconds(grace))
    #expect(table.cancelLimit == .seconds(cancelLimit))
    #expect(table.reserve == .seconds(reserve))
    #expect(table.abandonAt == table.deadline - .seconds(reserve))
    #expect(table.cancelAt == table.abandonAt - .seconds(cancelLimit))
    let before = table
    table.cancelNow(at: now + .seconds(grace))
    #expect(table.deadline == before.deadline, "nothing moves to a later instant")
    table.cancelNow(at: now)
    #expect(table.cancelAt == now)
    #expect(table.abandonAt == now + .seconds(cancelLimit))
  }
}
