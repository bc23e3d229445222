/// The same numbers for the same seed: what a run has found, the next one finds again.
///
/// SplitMix64, by Sebastiano Vigna; public domain.
public struct SplitMix64: RandomNumberGenerator, Sendable {
  private static let step: UInt64 = 0x9E37_79B9_7F4A_7C15

  private var state: UInt64

  /// The numbers of a seed, from the first one on.
  public init(seed: UInt64) { state = seed }

  /// The numbers of a seed from a later one on, for several who share them: 0 is the first.
  public init(seed: UInt64, from index: UInt64) { state = seed &+ index &* Self.step }

  /// The next number.
  public mutating func next() -> UInt64 {
    state &+= Self.step
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
