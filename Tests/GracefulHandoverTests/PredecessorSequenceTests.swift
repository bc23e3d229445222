import Testing
import WholeMachine

@testable import GracefulHandover

@Suite("A predecessor, whatever happens in whatever order", .wholeMachine, .serialized, .valuesOnly)
struct PredecessorSequenceTests {
  typealias World = PredecessorWorld

  @Test(
    "keeps its promises in each state under every three events, possible or not",
    arguments: [
      [], World.started, World.offering, World.committing, World.pausing, World.hasReleased, World.givenUp,
      World.awaitingChild, World.started + [.stopRequested], World.committing + [.stopRequested],
      World.pausing + [.stopRequested], World.pausing + [.closed(World.a)],
    ])
  func everyEvent(prefix: [PredecessorStateMachine.Event]) {
    var walk = Walk { _ in World.alphabet }
    walk.go(World(after: prefix), depth: 3, path: prefix)
    #expect(walk.violations.isEmpty, "\(walk.violations.joined(separator: "\n"))")
    #expect(walk.steps > 10_000)
  }

  @Test("keeps its promises under every six events that can happen, from its start on")
  func possibleEvents() {
    var walk = Walk { $0.possible }
    walk.go(World(after: World.started), depth: 6, path: World.started)
    #expect(walk.violations.isEmpty, "\(walk.violations.joined(separator: "\n"))")
    #expect(walk.released > 0)
    #expect(walk.resumed > 0)
    print("a predecessor: \(walk.steps) steps")
  }

  private struct Walk {
    var steps = 0
    var released = 0
    var resumed = 0
    var violations: [String] = []
    let next: (World) -> [PredecessorStateMachine.Event]

    init(_ next: @escaping (World) -> [PredecessorStateMachine.Event]) { self.next = next }

    mutating func go(_ world: World, depth: Int, path: [PredecessorStateMachine.Event]) {
      guard depth > 0, violations.count < 5 else { return }
      for event in next(world) {
        steps += 1
        var after = world
        after.tell(event)
        if !after.violations.isEmpty {
          violations.append("\(after.violations): \((path + [event]))")
          continue
        }
        if after.released, !world.released { released += 1 }
        resumed += after.resumes - world.resumes
        go(after, depth: depth - 1, path: path + [event])
      }
    }
  }
}
