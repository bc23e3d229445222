import GracefulShutdown
import TestHost
import Testing

@Suite("All interleavings of the steps of a gate", .valuesOnly)
struct GateModelTests {
  typealias Script = GateModel.Script

  /// Each kind of actor, on a stripe.
  static let kinds: [@Sendable (Int) -> Script] = [
    { .session(stripe: $0, end: .well) }, { .session(stripe: $0, end: .failed) }, { .nested(stripe: $0) },
    { .stale(stripe: $0) },
  ]

  /// Two of any kind, on one stripe or on two; with the owner who drops the gate, and with and without a closer.
  static let pairs: [[Script]] = kinds.flatMap { first in
    kinds.flatMap { second in
      [0, 1].flatMap { stripe in
        [[first(0), second(stripe), .owner], [first(0), second(stripe), .closer, .owner]]
      }
    }
  }

  @Test("What was admitted ends, the gate calls back once and empty, nobody touches freed memory", arguments: pairs)
  func two(scripts: [Script]) throws { try explore(scripts) }

  /// Three of any kind, on one stripe and on two.
  static let triples: [[Script]] = kinds.indices.flatMap { first in
    kinds.indices[first...].flatMap { second in
      kinds.indices[second...].flatMap { third in
        [0, 1].map { [kinds[first](0), kinds[second](0), kinds[third]($0), .closer, .owner] }
      }
    }
  }

  @Test("The same for three", arguments: triples)
  func three(scripts: [Script]) throws { try explore(scripts) }

  @Test("Two that close at once close once")
  func twoClosers() throws { try explore([.session(stripe: 0, end: .well), .closer, .closer, .owner]) }

  private func explore(_ scripts: [Script]) throws {
    var seen: Set<GateModel> = []
    var open = [GateModel(scripts)]
    var ends = 0
    while let model = open.popLast() {
      var isEnd = true
      for index in scripts.indices where model.canStep(index) {
        isEnd = false
        var next = model
        try next.step(index)
        if seen.insert(next).inserted { open.append(next) }
      }
      if isEnd {
        try model.checkEnd()
        ends += 1
      }
    }
    // A search that finds nothing is no search.
    #expect(ends > 0)
    #expect(seen.count > scripts.count)
  }
}
