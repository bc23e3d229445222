import GracefulShutdown
import GracefulTesting
import TestHost
import Testing

@Suite("A phase that holds a lifecycle", .timeLimit(.minutes(1)))
struct NestedLifecycleTests {
  private let clock = ManualClock()
  private let shop = Lifecycle("shop", grace: .seconds(20), logger: .silent)

  /// `index`, and `api`, which requires it.
  private func engine(grace: Duration = .seconds(20), index: PhaseScript = .obedient) -> Lifecycle {
    let engine = Lifecycle("engine", grace: grace, logger: .silent)
    engine.phase("index", script: index, on: clock)
    engine.phase("api", requires: PhaseHandle("index"), script: .obedient, on: clock)
    return engine
  }

  private func declare(_ engine: Lifecycle, limit: Duration? = nil) {
    let database = shop.phase("database", script: .obedient, on: clock)
    let search = shop.phase("search", requires: database, limit: limit, lifecycle: engine)
    shop.phase("web", requires: search, script: .obedient, on: clock)
  }

  private func state(of phase: String) -> PhaseSnapshot.State? {
    shop.snapshot().phases.first { $0.name == phase }?.state
  }

  private func run(untilReady name: String = "web") async -> Task<LifecycleReport, Never> {
    let (shop, clock) = (shop, clock)
    let run = Task { await shop.run(on: clock) }
    await clock.recorder.wait(for: "\(name): ready")
    return run
  }

  @Test("starts it after what the phase requires and before what requires the phase, and stops it the other way round")
  func order() async throws {
    declare(engine())
    let run = await run()
    #expect(clock.recorder.saw(inOrder: "database: ready", "search/index: ready", "search/api: ready", "web: started"))
    shop.requestStop()
    let report = await run.value
    #expect(report.exitCode == 0)
    #expect(
      clock.recorder.saw(
        inOrder: "web: ended", "search/api: turn", "search/api: ended", "search/index: turn", "search/index: ended",
        "database: turn"))
    #expect(report.phases.map(\.name) == ["database", "search", "web", "search/index", "search/api"])
  }

  @Test("has a report inside that of the whole, with the names that its phases have there")
  func report() async throws {
    declare(engine())
    let run = await run()
    shop.requestStop()
    let part = try #require(await run.value.part("search"))
    #expect(part.lifecycle == "search")
    #expect(part.phases.map(\.name) == ["index", "api"])
    #expect(part.phases[1].requires == ["index"])
    #expect(await run.value.part("web") == nil)
    #expect(await run.value.part("nobody") == nil)
  }

  @Test("gives it its own grace from when its stop begins, and the rest has its time all the same")
  func ownGrace() async throws {
    declare(engine(grace: .seconds(4), index: .ignoresCancel))
    let run = await run()
    shop.requestStop()
    await clock.recorder.wait(for: "search/index: turn")
    // A quarter of it is for the cancelled, a quarter for the end: as if it was alone.
    clock.advance(by: .seconds(2))
    await clock.recorder.wait(for: "search/index: cancelled")
    clock.advance(by: .seconds(1))
    let report = await run.value
    #expect(report.took == .seconds(3))
    #expect(report.part("search")?.stragglers.map(\.name) == ["index"])
    #expect(report.phases.first?.end == .drained)
  }

  @Test("never lets it have more than the limit of the phase, or than the whole has left", arguments: [nil, 6])
  func clipped(limit: Int?) async throws {
    declare(engine(grace: .seconds(1000), index: .ignoresCancel), limit: limit.map { .seconds($0) })
    let run = await run()
    shop.requestStop()
    await clock.recorder.wait(for: "search/index: turn")
    // Of 20 s, 2 s are for the cancelled and 1 s for the end; of 6 s, a quarter and 1 s.
    clock.advance(by: limit == nil ? .seconds(17) : .milliseconds(3500))
    await clock.recorder.wait(for: "search/index: cancelled")
    clock.advance(by: limit == nil ? .seconds(2) : .milliseconds(1500))
    let report = await run.value
    #expect(report.stragglers.first?.name == "search/index")
    #expect(report.took <= (limit == nil ? .seconds(19) : .seconds(5)))
  }

  @Test("stops it alone with what requires it, when it is asked to stop itself, and the rest runs on")
  func alone() async throws {
    let engine = engine()
    declare(engine)
    let run = await run()
    engine.requestStop()
    await clock.recorder.wait(for: "search/index: ended")
    #expect(clock.recorder.saw(inOrder: "web: ended", "search/api: ended", "search/index: ended"))
    #expect(!clock.recorder.events.contains("database: turn"))
    shop.requestStop()
    #expect(await run.value.exitCode == 0)
  }

  @Test("stops one phase of it with all that requires that, inside and outside")
  func oneOfIt() async throws {
    let engine = engine()
    declare(engine)
    let run = await run()
    engine.requestStop(of: "api")
    // Whose turn is next is decided when it has ended for the lifecycle, and not only for itself.
    while state(of: "search/api") != .ended { await Task.yield() }
    #expect(clock.recorder.saw(inOrder: "web: ended", "search/api: ended"))
    #expect(state(of: "search/index") == .ready)
    shop.requestStop()
    #expect(await run.value.exitCode == 0)
  }

  @Test("S10: starts nothing of it, and nothing that requires it, when it was asked to stop before the run")
  func beforeTheRun() async throws {
    let engine = engine()
    declare(engine)
    engine.requestStop()
    let run = await run(untilReady: "database")
    shop.requestStop()
    let ends = Dictionary(uniqueKeysWithValues: await run.value.phases.map { ($0.name, $0.end) })
    #expect(
      ends == [
        "database": .drained, "search": .neverStarted, "web": .neverStarted, "search/index": .neverStarted,
        "search/api": .neverStarted,
      ])
  }

  @Test("stops the whole as failed when a phase of it fails")
  func failure() async throws {
    declare(engine(index: .failsAtStart("no index")))
    let report = await shop.run(on: clock)
    #expect(report.exitCode == 1)
    #expect(report.request?.source == .phaseFailed("search/index"))
  }

  @Test("holds what holds another one in turn, and what was added to it later")
  func deeper() async throws {
    let engine = engine()
    declare(engine)
    let cache = Lifecycle("cache", logger: .silent)
    engine.phase("cache", requires: PhaseHandle("index"), lifecycle: cache)
    cache.phase("memory", script: .obedient, on: clock)
    let run = await run()
    #expect(clock.recorder.saw(inOrder: "search/index: ready", "search/cache/memory: ready", "web: started"))
    shop.requestStop()
    #expect(await run.value.part("search/cache")?.phases.map(\.name) == ["memory"])
    #expect(
      clock.recorder.saw(inOrder: "web: ended", "search/cache/memory: ended", "search/index: turn", "database: turn"))
  }

  @Test("is in the plan, the snapshot and the events of the whole, and the lifecycle in it sees the same")
  func seen() async throws {
    let engine = engine()
    declare(engine)
    let names = ["database", "search", "web", "search/index", "search/api"]
    #expect(shop.plan(with: OutsideSettings()).phases.map(\.name) == names)
    #expect(
      shop.plan(with: OutsideSettings()).stopWaves == [
        ["web"], ["search"], ["search/api"], ["search/index"], ["database"],
      ])
    #expect(shop.snapshot().phases.map(\.name) == names)
    let events = engine.events
    let run = await run()
    #expect(engine.snapshot().phases.map(\.name) == names)
    shop.requestStop()
    var kinds: [String] = []
    for await event in events where event.phase == "search/api" { kinds.append("\(event.kind)") }
    #expect(kinds == ["started", "ready", "draining", "ended"])
    #expect(await run.value.exitCode == 0)
  }

  @Test("A lifecycle runs once: not in two phases, not inside itself, not when it runs already, not by itself then")
  func mistakes() async throws {
    let engine = engine()
    declare(engine)
    shop.phase("search again", lifecycle: engine)
    engine.phase("outside", lifecycle: shop)
    let report = await shop.run(on: clock)
    #expect(report.exitCode == 78)
    #expect(report.mistakes.count == 2)
    #expect(report.mistakes.allSatisfy { "\($0)".contains("runs once only") }, "\(report.mistakes)")
    #expect(clock.recorder.events == [])
    #expect(await engine.run(on: clock).exitCode == 78)

    let running = Lifecycle("running", logger: .silent)
    running.phase("job", script: .obedient, on: clock)
    async let first = running.run(on: clock)
    await clock.recorder.wait(for: "job: ready")
    let other = Lifecycle("other", logger: .silent)
    other.phase("search", lifecycle: running)
    #expect(await other.run(on: clock).exitCode == 78)
    running.requestStop()
    #expect(await first.exitCode == 0)
  }

  @Test("Two that hold each other, and run at the same time, both say so, and neither waits for the other")
  func eachOther() async throws {
    for _ in 0..<50 {
      let (a, b) = (Lifecycle("a", logger: .silent), Lifecycle("b", logger: .silent))
      a.phase("b", lifecycle: b)
      b.phase("a", lifecycle: a)
      let clock = clock
      async let first = a.run(on: clock)
      async let second = b.run(on: clock)
      #expect(await [first.exitCode, second.exitCode] == [78, 78])
      // None of these goes round in a circle.
      for lifecycle in [a, b] {
        lifecycle.requestStop()
        lifecycle.requestStop(of: "a")
        _ = lifecycle.snapshot()
      }
    }
  }

  @Test("An empty one is ready at once; names and requirements that are wrong are mistakes of the whole")
  func odd() async throws {
    let empty = Lifecycle("empty", logger: .silent)
    let part = shop.phase("part", lifecycle: empty)
    shop.phase("web", requires: part, script: .obedient, on: clock)
    let run = await run()
    shop.requestStop()
    #expect(await run.value.exitCode == 0)
    #expect(await run.value.part("part") == nil)

    let bad = Lifecycle("bad", logger: .silent)
    let inner = engine()
    inner.phase("", requires: PhaseHandle("database")) { _ in }
    bad.phase("database") { _ in }
    bad.phase("search/index") { _ in }
    bad.phase("search", lifecycle: inner)
    bad.phase("hurry", lifecycle: Lifecycle("hurry", grace: .zero, logger: .silent))
    let mistakes = await bad.run(on: clock).mistakes.map(\.description)
    #expect(mistakes.contains { $0.contains("two phases are called \"search/index\"") }, "\(mistakes)")
    #expect(mistakes.contains { $0.contains("empty name") }, "\(mistakes)")
    #expect(mistakes.contains { $0.contains("limit of phase \"hurry\"") }, "\(mistakes)")
    #expect(mistakes.contains { $0.contains("requires \"search/database\"") }, "\(mistakes)")
  }

  @Test("S7: a phase of it is started again with all that require it, inside and outside, and the rest stays up")
  func restart() async throws {
    var policy = RestartPolicy.onFailure()
    policy.jitter = 0
    policy.dependents = .restart
    let (clock, events) = (clock, shop.events)
    let engine = Lifecycle("engine", grace: .seconds(4), logger: .silent)
    engine.phase("index", restart: policy) { phase in
      phase.ready()
      clock.recorder.record("index is ready")
      if clock.recorder.events.count(where: { $0 == "index is ready" }) == 1 {
        await clock.recorder.wait(for: "web: ready")
        throw PhaseScript.Failure("lost")
      }
      await phase.turnToStop()
    }
    engine.phase("api", requires: "index", script: .obedient, on: clock)
    declare(engine)
    let run = await run()
    for await event in events where event.kind == .restarting { break }
    await clock.recorder.wait(for: "search/api: ended")
    // Little by little: the next instant that is due may be a limit, as long as the end has not been heard of.
    await eventually {
      clock.advance(by: .milliseconds(1))
      return clock.recorder.events.count { $0 == "web: ready" } == 2
    }
    #expect(clock.recorder.saw(inOrder: "web: ended", "search/api: ended", "search/api: started", "web: started"))
    #expect(!clock.recorder.events.contains("database: turn"))
    shop.requestStop()
    let report = await run.value
    #expect(report.exitCode == 0, "\(report.text)")
    #expect(report.phases.first { $0.name == "search/index" }?.restarts.count == 1)
  }
}
