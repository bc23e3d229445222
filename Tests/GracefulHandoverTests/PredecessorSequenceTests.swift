import Exploration
import TestHost
import Testing

@testable import GracefulHandover

@Suite("A predecessor, whatever happens in whatever order", .valuesOnly)
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
    var walk = SequenceWalk<World> { _ in World.alphabet }
    walk.go(World(after: prefix), depth: 3, path: prefix)
    #expect(walk.violations.isEmpty, "\(walk.violations.joined(separator: "\n"))")
    #expect(walk.steps > 10_000)
  }

  @Test("keeps its promises under every six events that can happen, from its start on")
  func possibleEvents() {
    var (released, resumed) = (0, 0)
    var walk = SequenceWalk<World>({ $0.possible }) { before, after in
      if after.released, !before.released { released += 1 }
      resumed += after.resumes - before.resumes
    }
    walk.go(World(after: World.started), depth: 6, path: World.started)
    #expect(walk.violations.isEmpty, "\(walk.violations.joined(separator: "\n"))")
    #expect(released > 0)
    #expect(resumed > 0)
    print("a predecessor: \(walk.steps) steps")
  }
}
