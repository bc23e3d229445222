import Graceful
import Measuring
import ServiceLifecycle

/// Phases of a graph, each of which waits for its turn to stop.
enum Graphs {
  /// Each requires the one before.
  static func chain(_ count: Int) async throws -> Laps {
    try await measure(count) { lifecycle, arrivals in
      for id in 0..<count {
        lifecycle.phase("\(id)", requires: id == 0 ? [] : [PhaseHandle("\(id - 1)")]) { phase in
          phase.ready()
          arrivals.arrive()
          await phase.turnToStop()
        }
      }
    }
  }

  /// None requires another.
  static func siblings(_ count: Int) async throws -> Laps {
    try await measure(count) { lifecycle, arrivals in
      for id in 0..<count {
        lifecycle.phase("\(id)") { phase in
          phase.ready()
          arrivals.arrive()
          await phase.turnToStop()
        }
      }
    }
  }

  /// The same with services of swift-service-lifecycle.
  static func services(_ count: Int) async throws -> Laps {
    try await measure(count) { lifecycle, arrivals in
      for id in 0..<count { lifecycle.phase("\(id)", service: ForeignGroups.Waiting(arrivals: arrivals)) }
    }
  }

  /// From before the first phase is declared, as `ServiceGroup` is measured from before it is made.
  private static func measure(
    _ count: Int, _ declare: (Lifecycle, Arrivals) -> Void
  ) async throws -> Laps {
    let arrivals = Arrivals(count)
    let (heap, start) = (heapInUse(), ContinuousClock.now)
    let lifecycle = Lifecycle("benchmark", logger: .silent)
    declare(lifecycle, arrivals)
    let run = Task { await lifecycle.run() }
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
