import Testing

@testable import GracefulShutdown

/// A program opens thousands of child phases in the tasks of one group, which is quick when the oldest end first and quadratic
/// when the newest do.
@Suite("Child phases beside each other")
struct SiblingOrderTests {
  @Test("are told to drain in the order in which they were opened, each before its own children")
  func oldestFirst() {
    let now = MonotonicInstant.now
    var machine = LifecycleStateMachine(
      name: "shop", grace: .seconds(20), graph: PhaseGraph([.init("web")]))
    _ = machine.receive(.run, at: now)
    _ = machine.receive(.ready(0), at: now)
    for (id, parent) in [(1, 0), (2, 0), (3, 1), (4, 0), (5, 1), (6, 3)] {
      _ = machine.receive(.opened(.init(id: id, parent: parent, name: "child")), at: now)
    }
    let told: [Int] = machine.receive(.stop(StopRequest()), at: now).compactMap { action in
      if case .phase(let id, .drain) = action { id } else { nil }
    }
    #expect(told == [0, 1, 3, 6, 5, 2, 4])
  }
}
