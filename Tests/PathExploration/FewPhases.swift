/// A set of phases as bits: a search compares and hashes millions of them.
struct FewPhases: Hashable, Sequence, ExpressibleByArrayLiteral {
  private var bits: UInt32 = 0

  init(arrayLiteral ids: Int...) { for id in ids { insert(id) } }

  init(_ ids: some Sequence<Int>) { for id in ids { insert(id) } }

  var isEmpty: Bool { bits == 0 }

  func contains(_ id: Int) -> Bool { bits >> UInt32(id) & 1 == 1 }

  /// - Returns: Whether it was not in it before.
  @discardableResult
  mutating func insert(_ id: Int) -> Bool {
    defer { bits |= 1 << UInt32(id) }
    return !contains(id)
  }

  func union(_ other: Self) -> Self {
    var union = self
    union.bits |= other.bits
    return union
  }

  func intersection(_ other: Self) -> Self {
    var intersection = self
    intersection.bits &= other.bits
    return intersection
  }

  func subtracting(_ other: Self) -> Self {
    var rest = self
    rest.bits &= ~other.bits
    return rest
  }

  func isSubset(of other: Self) -> Bool { subtracting(other).isEmpty }

  /// The lowest first.
  func makeIterator() -> AnyIterator<Int> {
    var rest = bits
    return AnyIterator {
      guard rest != 0 else { return nil }
      defer { rest &= rest - 1 }
      return rest.trailingZeroBitCount
    }
  }
}
