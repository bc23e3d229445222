import GracefulShutdown
import Testing
import WholeMachine

@Suite("Every path through every graph of up to three phases", .wholeMachine, .serialized)
struct EveryPathTests {
  private static let upToThree = (1...3).flatMap { GraphExplorer.graphs(of: $0) }

  /// Every sequence of events of any length, by exhausting the states: 209,415 over the eleven graphs, in 820,060 steps.
  @Test("keeps the order, ends before the deadline, and starts nothing after a stop", arguments: upToThree)
  func everyPath(graph: [[Int]]) throws {
    var explorer = GraphExplorer(requires: graph, grace: .seconds(20))
    try explorer.explore()
    // A search that finds nothing is no search.
    #expect(explorer.finishes > 100)
    #expect(explorer.longest > 3 * graph.count)
    print(
      "\(graph): \(explorer.positions) states, \(explorer.steps) steps, \(explorer.finishes) ends,",
      "longest \(explorer.longest)")
  }

  @Test("There are 1, 2 and 8 graphs of one, two and three phases")
  func graphs() {
    #expect([1, 2, 3].map { GraphExplorer.graphs(of: $0).count } == [1, 2, 8])
  }
}
