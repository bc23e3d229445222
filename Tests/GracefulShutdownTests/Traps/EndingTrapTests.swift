import GracefulShutdown
import GracefulTesting
import Testing

/// Who ended, because of what, and what that means for the others.
@Suite("How phases end", .timeLimit(.minutes(1)))
struct EndingTrapTests {
  private let clock = ManualClock()
  private let shop = Lifecycle("shop", grace: .seconds(20), logger: .silent)

  @Test("Trap 3: a CancellationError before any stop is a failure: nobody of us had cancelled")
  func foreignCancellation() async {
    shop.phase("web") { phase in
      phase.ready()
      throw CancellationError()
    }
    let report = await shop.run(on: clock)
    #expect(report.exitCode == 1)
    #expect(report.request?.source == .phaseFailed("web"))
    #expect(report.phases[0].end.error == "CancellationError, before any stop was asked for")
  }

  @Test("Trap 3: a CancellationError after the stop is clean, and so is a return, before the turn or after it")
  func toldTo() async {
    let first = shop.phase("throws early") { phase in
      phase.ready()
      await phase.stopRequested()
      throw CancellationError()
    }
    let second = shop.phase("throws late", requires: first) { phase in
      phase.ready()
      await phase.turnToStop()
      throw CancellationError()
    }
    let third = shop.phase("returns early", requires: second) { phase in
      phase.ready()
      await phase.stopRequested()
    }
    let fourth = shop.phase("returns late", requires: third, script: .obedient, on: clock)
    shop.phase("cancels what it runs", requires: fourth) { [clock] phase in
      phase.ready()
      clock.recorder.record("all are ready")
      try await phase.withCancellation(at: .stopRequested) {
        for await _ in AsyncStream<Never>.makeStream().stream {}
        try Task.checkCancellation()
      }
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "all are ready")
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(await report.phases.allSatisfy { $0.end == .drained })
  }

  @Test("Trap 3: one that returns well after it was cancelled was cancelled all the same: its time was over")
  func returnsWellWhenCancelled() async {
    shop.phase("web", script: .ignoresDrain, on: clock)
    shop.phase("polite", limit: .seconds(5)) { [clock] phase in
      phase.ready()
      clock.recorder.record("polite: ready")
      await phase.wait(for: .cancelled)
      clock.recorder.record("polite: ended")
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    await clock.recorder.wait(for: "polite: ready")
    shop.requestStop()
    clock.advance(by: .seconds(5))
    await clock.recorder.wait(for: "polite: ended")
    clock.advance(by: .seconds(12))
    #expect(await report.phases.map(\.end) == [.cancelled, .cancelled])
  }

  @Test("Trap 4: siblings that end one after the other, early, well or with an error, escalate nothing")
  func siblings() async {
    let clock = clock
    let database = shop.phase("database", script: .obedient, on: clock)
    shop.phase("slow", requires: database, script: .slow(.seconds(10)), on: clock)
    shop.phase("early", requires: database) { phase in
      phase.ready()
      clock.recorder.record("early: ready")
      await phase.stopRequested()
    }
    shop.phase("throws", requires: database, script: .throwsWhileDraining("disk full"), on: clock)
    shop.phase("obedient", requires: database, script: .obedient, on: clock)
    let recorder = Recorder(of: shop)
    async let report = shop.run(on: clock)
    for name in ["slow", "early", "throws", "obedient"] { await clock.recorder.wait(for: "\(name): ready") }
    shop.requestStop()
    for name in ["early: drained", "throws: failed", "obedient: drained"] { await recorder.wait(for: name) }
    await clock.recorder.wait(for: "slow: turn")
    #expect(!recorder.events.contains { $0.hasSuffix(": cancelled") })
    #expect(!recorder.events.contains("database: draining"), "one of those that require it has not ended")
    clock.advance(by: .seconds(10))
    #expect(await report.phases.map(\.end) == [.drained, .drained, .drained, .failed("disk full"), .drained])
    #expect(await report.took == .seconds(10))
  }

  @Test("Trap 10: what throws while draining ends its wait at once, and is not waited for by another one's count")
  func throwing() async {
    let clock = clock
    // A diamond: both sides must have ended before the database may, and each counts once.
    let database = shop.phase("database", script: .obedient, on: clock)
    let left = shop.phase("left", requires: database, script: .throwsWhileDraining("left"), on: clock)
    let right = shop.phase("right", requires: database, script: .slow(.seconds(4)), on: clock)
    shop.phase("web", requires: [left, right], script: .throwsWhileDraining("web"), on: clock)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    shop.requestStop()
    await clock.recorder.wait(for: "right: turn")
    await clock.recorder.wait(for: "left: ended")
    #expect(!clock.recorder.events.contains("database: turn"), "the right one has not ended")
    clock.advance(by: .seconds(4))
    #expect(await report.took == .seconds(4))
    #expect(await report.phases.map(\.end) == [.drained, .failed("left"), .drained, .failed("web")])
    #expect(clock.recorder.saw(inOrder: "web: ended", "left: turn", "right: ended", "database: turn"))
  }

  @Test("Trap 11: run() returns although a body never does, and the report says: abandoned, still running")
  func abandoned() async {
    let clock = clock
    shop.phase("web", limit: .seconds(5)) { phase in
      phase.ready()
      clock.recorder.record("web: ready")
      await clock.pause(for: .seconds(100), recording: "web: hangs")
      clock.recorder.record("web: came back")
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: hangs")
    shop.requestStop()
    clock.advance(by: .seconds(7))
    #expect(await report.phases.map(\.end) == [.abandoned])
    #expect(await report.exitCode == 124)
    #expect(await report.text.contains("still running after 7.000 s"))
    #expect(!clock.recorder.events.contains("web: came back"))
    // It may come back later, after the report.
    clock.advance(by: .seconds(100))
    await clock.recorder.wait(for: "web: came back")
  }

  @Test("Trap 21: a drain that was cut is not a clean one, whatever the body returned: 124, and the report says so")
  func lyingSuccess() async {
    let clock = clock
    shop.phase("returns") { phase in
      phase.ready()
      clock.recorder.record("returns: ready")
      // Returns, and throws nothing, when it is cancelled.
      for await _ in AsyncStream<Never>.makeStream().stream {}
    }
    shop.phase("says so") { phase in
      phase.ready()
      clock.recorder.record("says so: ready")
      await phase.turnToStop()
      throw CutShort("2 requests in flight")
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "returns: ready")
    await clock.recorder.wait(for: "says so: ready")
    shop.requestStop()
    clock.advance(by: .seconds(17))
    #expect(await report.exitCode == 124)
    #expect(await report.phases.map(\.end.description) == ["cancelled", "cancelled"])
    #expect(await Set(report.stragglers.map(\.name)) == ["returns", "says so"])
    #expect(await report.phases[1].end.error == "2 requests in flight")
  }
}
