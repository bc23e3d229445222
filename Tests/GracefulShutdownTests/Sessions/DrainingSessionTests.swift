import GracefulShutdown
import GracefulTesting
import Testing

/// Sessions in a whole lifecycle, with real tasks and manual time.
@Suite("A lifecycle with sessions", .timeLimit(.minutes(1)))
struct DrainingSessionTests {
  private let clock = ManualClock()
  private let shop = Lifecycle("shop", grace: .seconds(20))

  @Test("S3: the turn to clean up comes when the last session has ended; what comes meanwhile is refused")
  func turn() async throws {
    let clock = clock
    shop.phase("web") { phase in
      phase.ready()
      let order = try phase.beginSession("POST /orders")
      clock.recorder.record("web: serves")
      await phase.drainRequested()
      #expect(phase.isStopRequested)
      while !phase.gate.isClosed { await Task.yield() }
      #expect(throws: PhaseError.self) { _ = try phase.beginSession("too late").end() }
      order.end()
      await phase.turnToStop()
      clock.recorder.record("web: turn")
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: serves")
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(clock.recorder.events.last == "web: turn")
    let sessions = await report.phases.first?.sessions
    #expect(sessions?.admitted == 1)
    #expect(sessions?.drained == 1)
    #expect(sessions?.refused == 1)
  }

  @Test("S5: when the time is over the cancellable one is cancelled, the other named, and the phase has its turn")
  func timeIsOver() async throws {
    let clock = clock
    shop.phase("web", limit: .seconds(5)) { phase in
      phase.ready()
      Task {
        defer { clock.recorder.record("import over") }
        try await phase.withSession("import", cancellable: true) {
          clock.recorder.record("import runs")
          await clock.recorder.wait(for: "never")
          clock.recorder.record("import cancelled")
          try Task.checkCancellation()
        }
      }
      Task {
        try await phase.withSession("stuck") {
          clock.recorder.record("stuck runs")
          await clock.recorder.wait(for: "test is over")
        }
      }
      await phase.turnToStop()
      clock.recorder.record("web: turn")
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "import runs")
    await clock.recorder.wait(for: "stuck runs")
    shop.requestStop()
    clock.advance(by: .seconds(4))
    #expect(!clock.recorder.events.contains("import cancelled"))
    clock.advance(by: .seconds(1))
    await clock.recorder.wait(for: "import over")
    #expect(clock.recorder.events.contains("import cancelled"))
    while clock.advanceToNext() {}
    #expect(await report.exitCode == 124)
    let sessions = await report.phases.first?.sessions
    #expect(sessions?.cancelled == 1)
    #expect(sessions?.abandoned == 1)
    #expect(sessions?.failed == 0)
    #expect(await report.stragglers.contains { $0.name == "stuck" && $0.phase == "web" && $0.age == .seconds(5) })
    #expect(clock.recorder.events.contains("web: turn"))
    clock.recorder.record("test is over")
  }

  @Test("A stop that is asked for from inside a session waits for that session, too")
  func stopFromInside() async throws {
    let clock = clock
    shop.phase("web") { [weak shop] phase in
      phase.ready()
      try await phase.withSession("POST /stop") {
        shop?.requestStop()
        while !phase.gate.isClosed { await Task.yield() }
        try await withSession("last words") { clock.recorder.record("answered") }
      }
      await phase.turnToStop()
      clock.recorder.record("turn")
    }
    let report = await shop.run(on: clock)
    #expect(report.exitCode == 0)
    #expect(clock.recorder.saw(inOrder: "answered", "turn"))
  }

  @Test("Trap 2: a session opens a child phase while its phase drains")
  func childPhase() async throws {
    let clock = clock
    shop.phase("web") { phase in
      phase.ready()
      try await phase.withSession("order") {
        clock.recorder.record("order")
        while !phase.gate.isClosed { await Task.yield() }
        try await withPhase("payment") { payment in
          #expect(Phase.current === payment)
          // Up again, through the session that all this is inside of.
          try await phase.withSession("receipt") { clock.recorder.record("receipt") }
        }
      }
      await phase.turnToStop()
      clock.recorder.record("turn")
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "order")
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(clock.recorder.saw(inOrder: "order", "receipt", "turn"))
  }
}
