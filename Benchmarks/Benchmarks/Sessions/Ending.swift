import Benchmark
import Graceful
import Measuring
import ServiceLifecycle

/// From the stop to the turn of the phase, with so many sessions that all end in between.
func ending(_ count: Int) {
  let pair = AtomicPair()
  Benchmark(
    "ending_\(count)_sessions,_stop_to_turn",
    configuration: Reading.configuration(
      [Reading.all, Reading.each, Reading.pair, Reading.ofPair], samples: 20, tolerance: 200)
  ) { benchmark in
    let bare = Stopwatch.each(of: count) { pair.addAndSubtract(count) }
    var each = Double.infinity
    for _ in 0..<Stopwatch.rounds { each = min(each, await stopToTurn(count)) }
    benchmark.read(Reading.all, each * Double(count) / 1e6)
    benchmark.read(Reading.each, each)
    benchmark.read(Reading.pair, bare)
    benchmark.read(Reading.ofPair, each, percentOf: bare)
  }
}

private func stopToTurn(_ count: Int) async -> Double {
  let open = await OpenPhase.open()
  let sessions = LiveSessions(count, in: open.phase)
  let each = await Stopwatch.once(of: count) {
    open.phase.requestStop()
    await open.phase.drainRequested()
    sessions.end()
    await open.phase.turnToStop()
  }
  await open.close()
  return each
}

/// The same shape for both: so many tasks that wait in their scopes are let go, until the last one has ended.
///
/// With a million handlers swift-service-lifecycle would take minutes.
func endingScopes(_ count: Int) {
  Benchmark(
    "ending_\(count)_scopes",
    configuration: Reading.configuration(
      [Reading.all, Reading.allBare, Reading.allForeign, Reading.ofForeign], samples: 5, tolerance: 200)
  ) { benchmark in
    let bare = LiveScopes()
    let allBare = try await letGo(bare, (0..<count).map { _ in Task { await bare.wait() } })
    let ours = await OpenPhase.open()
    let all = try await ours.inside {
      let scopes = LiveScopes()
      return try await letGo(scopes, (0..<count).map { _ in Task { try await withSession { await scopes.wait() } } })
    }
    await ours.close()
    let theirs = ForeignService.open()
    let allForeign = try await theirs.inside {
      let scopes = LiveScopes()
      return try await letGo(
        scopes,
        (0..<count).map { _ in
          Task {
            await withGracefulShutdownHandler {
              await scopes.wait()
            } onGracefulShutdown: {
            }
          }
        })
    }
    await theirs.close()
    benchmark.read(Reading.all, all / 1e6)
    benchmark.read(Reading.allBare, allBare / 1e6)
    benchmark.read(Reading.allForeign, allForeign / 1e6)
    benchmark.read(Reading.ofForeign, all, percentOf: allForeign)
  }
}

private func letGo(_ scopes: LiveScopes, _ tasks: [Task<Void, any Error>]) async throws -> Double {
  await scopes.reach(tasks.count)
  return try await Stopwatch.once(of: 1) {
    scopes.letGo()
    for task in tasks { try await task.value }
  }
}
