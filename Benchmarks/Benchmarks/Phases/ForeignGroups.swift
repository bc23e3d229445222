import Logging
import Measuring
import ServiceLifecycle

/// The same shapes of swift-service-lifecycle, as near as it comes.
enum ForeignGroups {
  /// Waits until it is told to stop.
  struct Waiting: Service {
    let arrivals: Arrivals

    func run() async throws {
      arrivals.arrive()
      try await gracefulShutdown()
    }
  }

  /// A group in a group in a group.
  private struct Nested: Service {
    let left: Int
    let arrivals: Arrivals

    func run() async throws {
      arrivals.arrive()
      guard left > 1 else { return try await gracefulShutdown() }
      try await ServiceGroup(services: [Nested(left: left - 1, arrivals: arrivals)], logger: .silent).run()
    }
  }

  static func chain(_ count: Int) async throws -> Laps {
    let arrivals = Arrivals(count)
    return try await measure([Nested(left: count, arrivals: arrivals)], arrivals)
  }

  /// Services of one group, which starts them all at once, and stops them one after the other.
  static func services(_ count: Int) async throws -> Laps {
    let arrivals = Arrivals(count)
    return try await measure((0..<count).map { _ in Waiting(arrivals: arrivals) }, arrivals)
  }

  /// Services that are added to a group that runs.
  static func added(_ count: Int) async throws -> Laps {
    let first = Arrivals(1)
    let arrivals = Arrivals(count)
    let group = ServiceGroup(services: [Waiting(arrivals: first)], logger: .silent)
    let run = Task { try await group.run() }
    _ = await first.all()
    let (heap, start) = (heapInUse(), ContinuousClock.now)
    for _ in 0..<count { await group.addServiceUnlessShutdown(Waiting(arrivals: arrivals)) }
    let up = await arrivals.all() - start
    let bytes = heapInUse() - heap
    let stop = ContinuousClock.now
    await group.triggerGracefulShutdown()
    try await run.value
    return Laps(up: up, down: .now - stop, bytes: bytes)
  }

  private static func measure(_ services: [any Service], _ arrivals: Arrivals) async throws -> Laps {
    let (heap, start) = (heapInUse(), ContinuousClock.now)
    let group = ServiceGroup(services: services, logger: .silent)
    let run = Task { try await group.run() }
    let up = await arrivals.all() - start
    let bytes = heapInUse() - heap
    let stop = ContinuousClock.now
    await group.triggerGracefulShutdown()
    try await run.value
    return Laps(up: up, down: .now - stop, bytes: bytes)
  }
}
