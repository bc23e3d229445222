import Exploration
import TestHost
import Testing

@testable import GracefulRehearsal

@Suite("A stop and its outcome", .valuesOnly) struct StopStateMachineTests {
  typealias Machine = StopStateMachine
  static let server = Int32(10)
  static let shell = Int32(20)
  static let other = Int32(30)

  func run(_ command: Int32?, _ events: [Machine.Event]) -> [Machine.Action] {
    var machine = Machine(server: Self.server, command: command)
    return events.flatMap { machine.receive($0) }
  }

  static func finish(
    _ outcome: StopOutcome, code: Int32? = nil, commandCode: Int32? = nil, isGone: Bool = true
  ) -> Machine.Action {
    .finish(.init(outcome: outcome, code: code, commandCode: commandCode, isGone: isGone))
  }

  @Test("A server that ends with 0 has stopped; another process's end is none") func stopped() {
    #expect(
      run(nil, [.ended(Self.other, code: 1), .ended(Self.server, code: 0)]) == [Self.finish(.stopped, code: 0)])
  }

  @Test("A server that ends otherwise, or nobody knows how, has failed to stop", arguments: [1, 124, 143, nil])
  func failed(code: Int32?) {
    #expect(run(nil, [.ended(Self.server, code: code)]) == [Self.finish(.failed, code: code)])
  }

  @Test("A command that returns at once, and one that waits until the server is gone, are both waited for")
  func command() {
    let finish = [Self.finish(.stopped, code: 0, commandCode: 0)]
    #expect(run(Self.shell, [.ended(Self.shell, code: 0)]) == [])
    #expect(run(Self.shell, [.ended(Self.server, code: 0)]) == [])
    #expect(run(Self.shell, [.ended(Self.shell, code: 0), .ended(Self.server, code: 0)]) == finish)
    #expect(run(Self.shell, [.ended(Self.server, code: 0), .ended(Self.shell, code: 0)]) == finish)
  }

  @Test("A command that fails is named, and does not decide about the server") func failingCommand() {
    #expect(
      run(Self.shell, [.ended(Self.shell, code: 3), .ended(Self.server, code: 0)])
        == [Self.finish(.stopped, code: 0, commandCode: 3)])
  }

  @Test("A server that still answers at the limit has not stopped, and is left alone") func servesOn() {
    #expect(
      run(Self.shell, [.ended(Self.shell, code: 0), .limit, .probed(answers: true)])
        == [.probe, Self.finish(.gaveUp, commandCode: 0, isGone: false)])
  }

  @Test("A server that is there at the limit and answers no more is killed") func killed() {
    #expect(
      run(nil, [.limit, .probed(answers: false), .ended(Self.server, code: 137)])
        == [.probe, .kill(Self.server), Self.finish(.gaveUp, code: 137)])
  }

  @Test("A server that ends while it is looked after is late all the same", arguments: [true, false])
  func late(answers: Bool) {
    #expect(
      run(nil, [.limit, .ended(Self.server, code: 0), .probed(answers: answers)])
        == [.probe, Self.finish(.gaveUp, code: 0)])
  }

  @Test("A command that outlives its server beyond the limit is killed, and the stop was one") func lateCommand() {
    #expect(
      run(Self.shell, [.ended(Self.server, code: 0), .limit, .ended(Self.shell, code: 137)])
        == [.kill(Self.shell), Self.finish(.stopped, code: 0, commandCode: 137)])
  }

  /// A stop that finishes at most once, and at the latest when the limit has come and what is killed is dead.
  struct World: ExploredWorld {
    private var machine: Machine
    private var finished = 0
    private(set) var violations: [String] = []

    init(command: Int32?) { machine = Machine(server: server, command: command) }

    mutating func meet(_ event: Machine.Event) {
      finished += Self.finishes(machine.receive(event))
      if finished > 1 { violations.append("finished \(finished) times") }
      var last = machine
      let end: [Machine.Event] = [
        .limit, .probed(answers: false), .ended(shell, code: 137), .ended(server, code: 137),
      ]
      if finished + Self.finishes(end.flatMap { last.receive($0) }) != 1 {
        violations.append("cannot be brought to its end")
      }
    }

    private static func finishes(_ actions: [Machine.Action]) -> Int {
      actions.count { if case .finish = $0 { true } else { false } }
    }
  }

  @Test("Whatever comes in whatever order, it finishes at most once, and what must come finishes it")
  func everySequence() {
    var walk = SequenceWalk<World>({ _ in
      [
        .ended(Self.server, code: 0), .ended(Self.server, code: 1), .ended(Self.shell, code: 0),
        .ended(Self.other, code: 0), .limit, .probed(answers: true), .probed(answers: false),
      ]
    })
    for command in [nil, Self.shell] { walk.go(World(command: command), depth: 5) }
    #expect(walk.violations.isEmpty && walk.steps == 2 * (7 + 49 + 343 + 2401 + 16807), "\(walk.violations)")
  }
}
