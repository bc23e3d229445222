import Synchronization

/// From the driver to everybody who reads the events.
final class LifecycleEventBroadcast: Sendable {
  private struct State {
    var nextId = 0
    var readers: [Int: AsyncStream<LifecycleEvent>.Continuation] = [:]
    /// Of lifecycles that are part of this one.
    var parts: [LifecycleEventBroadcast] = []
    var last: LifecycleReport?
  }

  private let state = Mutex(State())
  private let readers = Atomic(0)

  /// Whether anybody reads: ask before an event is put together.
  var isHeard: Bool { readers.load(ordering: .relaxed) > 0 }

  func subscribe() -> AsyncStream<LifecycleEvent> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: LifecycleEvent.self, bufferingPolicy: .bufferingNewest(4096))
    let (id, last): (Int, LifecycleReport?) = state.withLock { state in
      state.nextId += 1
      guard state.last == nil else { return (state.nextId, state.last) }
      state.readers[state.nextId] = continuation
      return (state.nextId, nil)
    }
    if let last {
      continuation.yield(LifecycleEvent(.finished, report: last))
      continuation.finish()
      return stream
    }
    readers.add(1, ordering: .relaxed)
    continuation.onTermination = { [weak self] _ in self?.leave(id) }
    return stream
  }

  /// - Parameter isNews: Asked under the lock: two threads that have news of one phase must not both find that theirs is
  ///   the newer one, and then say it in the other order.
  func send(_ event: LifecycleEvent, if isNews: () -> Bool = { true }) {
    guard isHeard else { return }
    // Yielded under the lock: what one thread says after another is read in that order.
    state.withLock { state in
      guard isNews() else { return }
      for reader in state.readers.values { reader.yield(event) }
      for part in state.parts { part.send(event) }
    }
  }

  /// From now on, what is said here is said there, too.
  func pass(on part: LifecycleEventBroadcast) {
    state.withLock { $0.parts.append(part) }
    readers.add(1, ordering: .relaxed)
  }

  func finish(_ report: LifecycleReport) {
    let (readers, parts) = state.withLock { state in
      state.last = report
      defer { state.readers = [:] }
      return (state.readers.values.map { $0 }, state.parts)
    }
    for part in parts { part.finish(report) }
    for reader in readers {
      reader.yield(LifecycleEvent(.finished, report: report))
      reader.finish()
    }
  }

  private func leave(_ id: Int) {
    let isThere = state.withLock { $0.readers.removeValue(forKey: id) != nil }
    if isThere { readers.subtract(1, ordering: .relaxed) }
  }
}
