import Synchronization

/// From one thread to another.
final class Flag: Sendable {
  private let state = Atomic(false)

  var isRaised: Bool { state.load(ordering: .sequentiallyConsistent) }
  func raise() { state.store(true, ordering: .sequentiallyConsistent) }
  func lower() { state.store(false, ordering: .sequentiallyConsistent) }
}

/// Counts what many threads do.
final class Count: Sendable {
  private let state = Atomic(0)

  var value: Int { state.load(ordering: .sequentiallyConsistent) }
  @discardableResult
  func add() -> Int { state.add(1, ordering: .sequentiallyConsistent).newValue }
}
