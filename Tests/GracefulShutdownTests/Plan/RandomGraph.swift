import GracefulShutdown

/// The same numbers in every run.
struct CountedRandom: RandomNumberGenerator {
  var state: UInt64

  /// SplitMix64, by Sebastiano Vigna; public domain.
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

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

  mutating func grace() -> Duration { .milliseconds(Int.random(in: 100...40_000, using: &self)) }
}
