import GracefulShutdown
import Testing

@Suite("Every path through every graph of up to three phases")
struct EveryPathTests {
  /// Eleven graphs; a sequence of up to nine events reaches start, readiness, stop, two escalations and the end.
  @Test("keeps the order, ends before the deadline, and starts nothing after a stop", arguments: [1, 2, 3])
  func everyPath(count: Int) throws {
    var positions = 0
    var steps = 0
    var finishes = 0
    for graph in GraphExplorer.graphs(of: count) {
      var explorer = GraphExplorer(requires: graph, grace: .seconds(20))
      try explorer.explore(depth: count == 3 ? 7 : 10)
      positions += explorer.positions
      steps += explorer.steps
      finishes += explorer.finishes
    }
    // A search that finds nothing is no search.
    #expect(finishes > 100)
    print("\(count) phases: \(positions) positions, \(steps) steps, \(finishes) ends")
  }

  @Test("There are 1, 2 and 8 graphs of one, two and three phases")
  func graphs() {
    #expect([1, 2, 3].map { GraphExplorer.graphs(of: $0).count } == [1, 2, 8])
  }
}
