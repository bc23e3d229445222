import Synchronization

/// Where a gate's memory is; or that there is none yet, or will never be any.
struct GateSlot: ~Copyable {
  private let word = Atomic<UInt>(GateSlot.none)

  private static let none: UInt = 0
  private static let closedWithout: UInt = 1
  /// Added to the address while nothing is let in: so that pausing costs an admission nothing.
  private static let pausedBit: UInt = 2

  /// The memory, when there is any and it admits.
  @inline(__always)
  var admitting: GateMemory.Pointer? {
    let address = word.load(ordering: .acquiring)
    return address & Self.pausedBit == 0 ? Self.present(address) : nil
  }

  var present: GateMemory.Pointer? { Self.present(word.load(ordering: .sequentiallyConsistent)) }

  @inline(__always)
  private static func present(_ address: UInt) -> GateMemory.Pointer? {
    let address = address & ~pausedBit
    return address > closedWithout ? GateMemory.Pointer(bitPattern: address) : nil
  }

  /// - Returns: `nil` when it was closed before it had any.
  func make(
    stripes: Int, now: @escaping @Sendable () -> ContinuousClock.Instant, startingAt start: SessionWord
  ) -> GateMemory.Pointer? {
    var seen = word.load(ordering: .acquiring)
    if seen & ~Self.pausedBit != Self.none { return Self.present(seen) }
    let made = GateMemory.allocate(stripes: stripes, now: now, startingAt: start)
    // Again, when another thread pauses or resumes between the look and the exchange: it stays as that says.
    while seen & ~Self.pausedBit == Self.none {
      let (isOurs, now) = word.compareExchange(
        expected: seen, desired: UInt(bitPattern: made) | seen & Self.pausedBit, ordering: .sequentiallyConsistent)
      if isOurs { return made }
      seen = now
    }
    GateMemory.discard(made)
    return Self.present(seen)
  }

  /// From here on none is made.
  ///
  /// - Returns: What was made before.
  func shut() -> GateMemory.Pointer? {
    var seen = word.load(ordering: .acquiring)
    // Again, when another thread brings memory, pauses or resumes between the look and the exchange.
    while seen & ~Self.pausedBit == Self.none {
      let (done, now) = word.compareExchange(
        expected: seen, desired: Self.closedWithout, ordering: .acquiringAndReleasing)
      if done { return nil }
      seen = now
    }
    return Self.present(seen)
  }

  var isPaused: Bool { word.load(ordering: .relaxed) & Self.pausedBit != 0 }

  func pause() { word.bitwiseOr(Self.pausedBit, ordering: .acquiringAndReleasing) }

  func resume() { word.bitwiseAnd(~Self.pausedBit, ordering: .acquiringAndReleasing) }
}
