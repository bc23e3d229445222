internal import Synchronization

/// Which run it is, for scripts that behave differently in the first ones.
final class RunCount: Sendable {
  private let count = Atomic(0)

  /// One more than before, beginning with 1.
  func next() -> Int { count.add(1, ordering: .relaxed).newValue }
}
