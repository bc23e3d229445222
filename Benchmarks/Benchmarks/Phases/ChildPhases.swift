import Graceful
import Logging
import Measuring

/// Phases that are opened while the program runs, each of which waits for its turn to stop.
enum ChildPhases {
  /// Each inside the one before.
  static func chain(_ count: Int) async throws -> Laps {
    try await measure(count) { try await nest(count, $0) }
  }

  private static func nest(_ left: Int, _ arrivals: Arrivals) async throws {
    try await withPhase("child") { child in
      arrivals.arrive()
      if left > 1 { try await nest(left - 1, arrivals) } else { await child.turnToStop() }
    }
  }

  /// All of them beside each other, each opened in a task of its own: the caller of `withPhase` waits for its end.
  static func siblings(_ count: Int) async throws -> Laps {
    try await measure(count) { arrivals in
      await withDiscardingTaskGroup { group in
        for _ in 0..<count {
          group.addTask {
            try? await withPhase("child") { child in
              arrivals.arrive()
              await child.turnToStop()
            }
          }
        }
      }
    }
  }

  private static func measure(
    _ count: Int, _ open: @escaping @Sendable (Arrivals) async throws -> Void
  ) async throws -> Laps {
    let lifecycle = Lifecycle("benchmark", logger: .silent)
    let arrivals = Arrivals(count)
    let (starts, started) = AsyncStream.makeStream(of: (ContinuousClock.Instant, Int).self)
    lifecycle.phase("root") { phase in
      phase.ready()
      started.yield((.now, heapInUse()))
      try await open(arrivals)
    }
    let run = Task { await lifecycle.run() }
    var iterator = starts.makeAsyncIterator()
    guard let (start, heap) = await iterator.next() else { throw Unclean(what: "nothing started") }
    let up = await arrivals.all() - start
    let bytes = heapInUse() - heap
    let stop = ContinuousClock.now
    lifecycle.requestStop()
    let report = await run.value
    let down = ContinuousClock.now - stop
    guard report.exitCode == 0 else { throw Unclean(what: report.summary) }
    return Laps(up: up, down: down, bytes: bytes)
  }
}

/// What was measured was not what was to be.
struct Unclean: Error {
  let what: String
}

extension Logger {
  /// Says nothing.
  static var silent: Logger { Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() } }
}
