import GracefulShutdown
import Testing
import WholeMachine

@Suite("Every path through every graph of up to four phases", .wholeMachine, .serialized)
struct EveryPathTests {
  typealias Extent = GraphExplorer.Extent

  private static func explore(_ graph: [[Int]], _ extent: Extent) throws -> GraphExplorer {
    var explorer = GraphExplorer(requires: graph, grace: .seconds(20), extent: extent)
    try explorer.explore()
    // A search that finds nothing is no search.
    #expect(explorer.finishes > 100)
    print(
      "\(graph): \(explorer.positions) states, \(explorer.steps) steps, \(explorer.finishes) ends,",
      "longest \(explorer.longest)")
    return explorer
  }

  @Test(
    "One and two phases, with sessions, a child phase, phases stopped alone and every way to end",
    arguments: (1...2).flatMap { GraphExplorer.graphs(of: $0) })
  func upToTwo(graph: [[Int]]) throws {
    let ids = Set(graph.indices)
    _ = try Self.explore(
      graph,
      Extent(visited: ids, childOf: 0, alone: ids.union([graph.count]), everyEnd: ids.union([graph.count])))
  }
}
