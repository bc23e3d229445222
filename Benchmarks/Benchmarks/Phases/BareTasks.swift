import Measuring
import Synchronization

/// The same shapes of nothing but tasks: what Swift's own take, at the very least.
enum BareTasks {
  /// Each in the one before, which waits for its end.
  static func chain(_ count: Int) async -> Laps {
    await measure(count) { arrivals, end in await nest(count, arrivals, end) }
  }

  private static func nest(_ left: Int, _ arrivals: Arrivals, _ end: End) async {
    await Task {
      arrivals.arrive()
      if left > 1 { await nest(left - 1, arrivals, end) } else { await end.wait() }
    }.value
  }

  static func siblings(_ count: Int) async -> Laps {
    await measure(count) { arrivals, end in
      await withDiscardingTaskGroup { group in
        for _ in 0..<count {
          group.addTask {
            await Task {
              arrivals.arrive()
              await end.wait()
            }.value
          }
        }
      }
    }
  }

  private static func measure(
    _ count: Int, _ open: @escaping @Sendable (Arrivals, End) async -> Void
  ) async -> Laps {
    let (arrivals, end) = (Arrivals(count), End())
    let (heap, start) = (heapInUse(), ContinuousClock.now)
    let run = Task { await open(arrivals, end) }
    let up = await arrivals.all() - start
    let bytes = heapInUse() - heap
    let stop = ContinuousClock.now
    end.come()
    await run.value
    return Laps(up: up, down: .now - stop, bytes: bytes)
  }

  /// Any number of tasks wait for it.
  private final class End: Sendable {
    private let state = Mutex((hasCome: false, waiters: [UnsafeContinuation<Void, Never>]()))

    func wait() async {
      await withUnsafeContinuation { continuation in
        let goOn = state.withLock { state in
          if !state.hasCome { state.waiters.append(continuation) }
          return state.hasCome
        }
        if goOn { continuation.resume() }
      }
    }

    func come() {
      let waiters = state.withLock { state in
        state.hasCome = true
        defer { state.waiters = [] }
        return state.waiters
      }
      for waiter in waiters { waiter.resume() }
    }
  }
}
