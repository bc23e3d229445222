import GracefulShutdown
import Exploration

extension SplitMix64 {
  /// Up to `most` phases, each of which requires some of those before it; some without a limit.
  mutating func graph(most: Int, limited: Bool = false) -> PhaseGraph {
    let count = Int.random(in: 1...most, using: &self)
    return PhaseGraph(
      (0..<count).map { id in
        let requires = (0..<id).filter { _ in Int.random(in: 0..<3, using: &self) == 0 }.map { "p\($0)" }
        let hasLimit = limited || Int.random(in: 0..<5, using: &self) > 0
        let milliseconds = Int.random(in: 1...8000, using: &self)
        return .init(
          "p\(id)", requires: requires, startLimit: .milliseconds(milliseconds),
          limit: hasLimit ? .milliseconds(max(1, milliseconds >> Int.random(in: 0..<4, using: &self))) : nil)
      })
  }

  /// As ``graph(most:limited:)``, and some of its phases hold a lifecycle.
  mutating func nested(most: Int) -> PhaseGraph {
    let count = Int.random(in: 1...most, using: &self)
    var declarations: [PhaseGraph.Declaration] = []
    for id in 0..<count {
      let requires = (0..<id).filter { _ in Int.random(in: 0..<3, using: &self) == 0 }.map { "p\($0)" }
      var declaration = PhaseGraph.Declaration("p\(id)", requires: requires)
      guard Int.random(in: 0..<2, using: &self) == 0 else {
        declaration.limit = .milliseconds(Int.random(in: 1...8000, using: &self))
        declarations.append(declaration)
        continue
      }
      declaration.nestedGrace = grace()
      let members = Int.random(in: 1...3, using: &self)
      for member in 0..<members {
        let inside = (0..<member).filter { _ in Bool.random(using: &self) }.map { "p\(id)/\($0)" }
        var inner = PhaseGraph.Declaration("p\(id)/\(member)", requires: inside.isEmpty ? requires : inside)
        inner.limit = .milliseconds(Int.random(in: 1...8000, using: &self))
        inner.within = "p\(id)"
        declarations.append(inner)
        declaration.requires.append(inner.name)
      }
      declarations.append(declaration)
    }
    return PhaseGraph(declarations)
  }

  mutating func lameDuck() -> LameDuck.Timing {
    LameDuck.Timing(
      limit: .milliseconds(Int.random(in: 1...9000, using: &self)),
      minimum: .milliseconds(Int.random(in: 0...5000, using: &self)),
      quiet: .milliseconds(Int.random(in: 0...3000, using: &self)))
  }

  mutating func grace() -> Duration { .milliseconds(Int.random(in: 100...40_000, using: &self)) }
}
