import Synchronization

/// One atomic add and one subtract: what counting a session costs at the very least.
final class AtomicPair: Sendable {
  private let count = Atomic(0)

  @inline(never)
  func addAndSubtract(_ times: Int) {
    for _ in 0..<times {
      count.wrappingAdd(1, ordering: .acquiring)
      count.wrappingSubtract(1, ordering: .acquiringAndReleasing)
    }
  }
}
