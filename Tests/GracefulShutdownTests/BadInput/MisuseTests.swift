import GracefulShutdown
import GracefulTesting
import Synchronization
import Testing

/// Calls at the wrong time, from the wrong place, or too often.
@Suite("Calls that make no sense", .timeLimit(.minutes(1)))
struct MisuseTests {
  private let clock = ManualClock()
  private let shop = Lifecycle("shop", grace: .seconds(20), logger: .silent)

  @Test("run() many times at once, and after the end, is one run with one report", arguments: 0..<20)
  func manyRuns(round: Int) async {
    let (clock, shop) = (clock, shop)
    shop.phase("web", script: .obedient, on: clock)
    let running = (0..<8).map { _ in Task.detached { await shop.run(on: clock) } }
    await clock.recorder.wait(for: "web: ready")
    shop.requestStop()
    var reports: Set<LifecycleReport> = []
    for run in running { reports.insert(await run.value) }
    reports.insert(await shop.run(on: clock))
    #expect(reports.count == 1)
    #expect(clock.recorder.events.filter { $0 == "web: started" }.count == 1)
  }

  @Test("S10: what was asked to stop before it runs starts nothing, however many run it at once", arguments: 0..<50)
  func stoppedBeforeManyRuns(round: Int) async {
    let (clock, shop) = (clock, shop)
    shop.phase("web", script: .obedient, on: clock)
    shop.requestStop(StopRequest(why: "first"))
    let running = (0..<4).map { _ in Task.detached { await shop.run(on: clock) } }
    let other = Task.detached { shop.requestStop(StopRequest(why: "second")) }
    for run in running {
      let report = await run.value
      #expect(report.phases.map(\.end) == [.neverStarted])
      #expect(report.request?.why == "first")
    }
    await other.value
    #expect(clock.recorder.events.isEmpty)
  }

  @Test("run() inside one of its own phases returns at once with a mistake, and nothing else happens")
  func runInside() async {
    let (clock, shop) = (clock, shop)
    shop.phase("web") { phase in
      phase.ready()
      #expect(await shop.run(on: clock).mistakes.count == 1)
      let report = try await phase.withSession("deep inside") {
        try await withPhase("import") { _ in await Task { await shop.run(on: clock) }.value }
      }
      #expect(report.exitCode == 78)
      #expect(report.mistakes.first?.description.hasPrefix("phase \"web/import\" called run()") == true)
      clock.recorder.record("web goes on")
      await phase.turnToStop()
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web goes on")
    #expect(shop.snapshot().state == .running)
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(await report.mistakes.isEmpty)
  }

  @Test("One that must not return, called inside, stops the whole in order, and its phase is abandoned")
  func runAndExitInside() async {
    let (clock, shop) = (clock, shop)
    let database = shop.phase("database", script: .obedient, on: clock)
    shop.phase("web", requires: database, limit: .seconds(3)) { phase in
      phase.ready()
      _ = await shop.run(on: clock, exiting: true)
      Issue.record("it returned")
    }
    let recorder = Recorder(of: shop)
    async let report = shop.run(on: clock)
    await recorder.wait(for: "web: draining")
    clock.advance(by: .seconds(5))
    #expect(await report.phases.map(\.end) == [.drained, .abandoned])
    #expect(await report.request?.source == .phaseFailed("web"))
    #expect(clock.exits.isEmpty)
  }

  @Test("A task that has outlived its phase waits for the end as anybody does")
  func runFromAStaleTask() async {
    let (clock, shop) = (clock, shop)
    shop.phase("web", script: .obedient, on: clock)
    let stale = Mutex<Task<LifecycleReport, Never>?>(nil)
    shop.phase("job") { job in
      job.ready()
      let task = Task {
        await clock.recorder.wait(for: "job: gone")
        return await shop.run(on: clock)
      }
      stale.withLock { $0 = task }
      job.requestStop()
      await job.turnToStop()
    }
    let recorder = Recorder(of: shop)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    await recorder.wait(for: "job: drained")
    clock.recorder.record("job: gone")
    shop.requestStop()
    #expect(await stale.withLock { $0 }?.value == report)
    #expect(await report.exitCode == 0)
  }

  @Test("ready() twice is noted; after the end, and from a phase that never began, it is nothing")
  func ready() async {
    let kept = Mutex<Phase?>(nil)
    shop.phase("web") { phase in
      kept.withLock { $0 = phase }
      phase.ready()
      phase.ready()
      phase.requestStop()
      phase.ready()
    }
    let report = await shop.run(on: clock)
    #expect(report.exitCode == 0)
    #expect(report.ignored.allSatisfy { $0.hasPrefix("web became ready") })
    #expect(report.ignored.count == 2)
    kept.withLock { $0 }?.ready()
    #expect(await shop.run(on: clock) == report)
  }

  @Test("ready() of a child phase is nothing: nobody waits for it")
  func readyOfAChild() async {
    shop.phase("web") { phase in
      phase.ready()
      try await withPhase("import") { child in
        child.ready()
        child.ready()
      }
      phase.requestStop()
    }
    let report = await shop.run(on: clock)
    #expect(report.exitCode == 0)
    #expect(report.ignored.isEmpty)
  }

  @Test(
    "ready() from one thread and the stop from another: what requires it begins or not, and all ends",
    arguments: 0..<100)
  func readyAndStop(round: Int) async {
    let (clock, shop) = (clock, shop)
    let database = shop.phase("database") { phase in
      let speaks = Task.detached {
        for _ in 0..<(round % 10) { await Task.yield() }
        phase.ready()
      }
      clock.recorder.record("database: started")
      await phase.turnToStop()
      await speaks.value
    }
    shop.phase("web", requires: database, script: .obedient, on: clock)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "database: started")
    shop.requestStop()
    #expect(await report.exitCode == 0)
    let began = clock.recorder.events.contains("web: started")
    #expect(await report.phases.map(\.end) == [.drained, began ? .drained : .neverStarted])
  }

  @Test("A body that returns at once ends the whole, cleanly, and what requires it never begins")
  func returnsAtOnce() async {
    let nothing = shop.phase("nothing") { _ in }
    shop.phase("web", requires: nothing, script: .obedient, on: clock)
    let report = await shop.run(on: clock)
    #expect(report.phases.map(\.end) == [.endedByItself, .neverStarted])
    #expect(report.request?.source == .phaseEnded("nothing"))
    #expect(report.exitCode == 0)
  }

  @Test("Sessions: ended twice counts once, dropped is ended, kept for ever is named")
  func sessions() async throws {
    let clock = clock
    let kept = Mutex<SharedSession?>(nil)
    shop.phase("web", limit: .seconds(5)) { phase in
      phase.ready()
      let twice = try phase.beginSession("twice").shared()
      twice.end()
      twice.end()
      twice.fail()
      // To end a `Session` twice does not compile; a session that is dropped has ended.
      _ = try phase.beginSession("dropped")
      let forgotten = try phase.beginSession("forgotten").shared()
      kept.withLock { $0 = forgotten }
      clock.recorder.record("web: ready")
      await phase.turnToStop()
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    shop.requestStop()
    // Five to drain, one for those inside, two for the body.
    clock.advance(by: .seconds(8))
    #expect(await report.exitCode == 124)
    #expect(await report.stragglers.map(\.name) == ["web", "forgotten"])
    let sessions = await report.phases[0].sessions
    #expect(sessions?.admitted == 3)
    #expect(sessions?.failed == 0)
    #expect(sessions?.abandoned == 1)
    // Ended after the report.
    kept.withLock { $0 }?.end()
  }

  @Test(
    "A stop from inside a session, a child phase and a handler is a stop like any other",
    arguments: ["session", "child", "handler"])
  func stopFromInside(place: String) async {
    let (clock, shop) = (clock, shop)
    let database = shop.phase("database", script: .obedient, on: clock)
    shop.phase("web", requires: database) { web in
      web.ready()
      let ask: @Sendable (String) -> Void = { shop.requestStop(StopRequest(why: $0)) }
      switch place {
      case "session":
        try await web.withSession("cancellable", cancellable: true) { ask(place) }
      case "child":
        try await withPhase("import") { child in
          ask(place)
          await child.turnToStop()
        }
      default:
        // The phase is stopped alone, and only its handler asks for the stop of the whole.
        await web.withHandler(at: .stopRequested) {
          ask(place)
          clock.recorder.record("handler: asked")
        } operation: {
          web.requestStop()
          await clock.recorder.wait(for: "handler: asked")
        }
      }
      await web.turnToStop()
    }
    let report = await shop.run(on: clock)
    #expect(report.request?.why == place)
    #expect(report.phases.filter { $0.parent == nil }.map(\.end) == [.drained, .drained])
    #expect(clock.recorder.saw(inOrder: "database: turn", "database: ended"))
  }

  @Test("A stop of one phase from inside itself, of one that is gone, and of one that is not there")
  func stopAlone() async {
    let (clock, shop) = (clock, shop)
    shop.phase("job") { job in
      job.ready()
      job.requestStop()
      job.requestStop()
      await job.turnToStop()
    }
    shop.phase("web", script: .obedient, on: clock)
    shop.requestStop(of: "nobody")
    let recorder = Recorder(of: shop)
    async let report = shop.run(on: clock)
    await recorder.wait(for: "job: drained")
    await clock.recorder.wait(for: "web: ready")
    shop.requestStop(of: "job")
    shop.requestStop(of: "nobody")
    shop.requestStop(of: "")
    #expect(shop.snapshot().state == .running)
    shop.requestStop()
    #expect(await report.exitCode == 0)
    shop.requestStop()
    shop.requestStop(of: "web")
  }

  @Test("A stop of one phase before the run: it never begins, nor does what requires it (S10)")
  func stopAloneBefore() async {
    let (clock, shop) = (clock, shop)
    shop.phase("database", script: .obedient, on: clock)
    shop.phase("job", requires: "database", script: .obedient, on: clock)
    shop.phase("web", requires: "job", script: .obedient, on: clock)
    shop.requestStop(of: "job")
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "database: ready")
    shop.requestStop()
    #expect(await report.phases.map(\.end) == [.drained, .neverStarted, .neverStarted])
    #expect(await report.exitCode == 0)
  }
}
