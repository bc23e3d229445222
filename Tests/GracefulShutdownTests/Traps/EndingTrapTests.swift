import GracefulShutdown
import GracefulTesting
import Testing

/// Who ended, because of what, and what that means for the others.
@Suite("How phases end", .timeLimit(.minutes(1)))
struct EndingTrapTests {
  private let ladder = ManualLadder()
  private let shop = Lifecycle("shop", grace: .seconds(20), logger: .silent)

  @Test("Trap 3: a CancellationError before any stop is a failure: nobody of us had cancelled")
  func foreignCancellation() async {
    shop.phase("web") { phase in
      phase.ready()
      throw CancellationError()
    }
    let report = await shop.run(on: ladder)
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
    let fourth = shop.phase("returns late", requires: third, script: .obedient, on: ladder)
    shop.phase("cancels what it runs", requires: fourth) { [ladder] phase in
      phase.ready()
      ladder.recorder.record("all are ready")
      try await phase.withCancellation(at: .stopRequested) {
        for await _ in AsyncStream<Never>.makeStream().stream {}
        try Task.checkCancellation()
      }
    }
    async let report = shop.run(on: ladder)
    await ladder.recorder.wait(for: "all are ready")
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(await report.phases.allSatisfy { $0.end == .drained })
  }

  @Test("Trap 3: one that returns well after it was cancelled was cancelled all the same: its time was over")
  func returnsWellWhenCancelled() async {
    shop.phase("web", script: .ignoresDrain, on: ladder)
    shop.phase("polite", limit: .seconds(5)) { [ladder] phase in
      phase.ready()
      ladder.recorder.record("polite: ready")
      await phase.wait(for: .cancelled)
      ladder.recorder.record("polite: ended")
    }
    async let report = shop.run(on: ladder)
    await ladder.recorder.wait(for: "web: ready")
    await ladder.recorder.wait(for: "polite: ready")
    shop.requestStop()
    ladder.advance(by: .seconds(5))
    await ladder.recorder.wait(for: "polite: ended")
    ladder.advance(by: .seconds(12))
    #expect(await report.phases.map(\.end) == [.cancelled, .cancelled])
  }

  @Test("Trap 4: siblings that end one after the other, early, well or with an error, escalate nothing")
  func siblings() async {
    let ladder = ladder
    let database = shop.phase("database", script: .obedient, on: ladder)
    shop.phase("slow", requires: database, script: .slow(.seconds(10)), on: ladder)
    shop.phase("early", requires: database) { phase in
      phase.ready()
      ladder.recorder.record("early: ready")
      await phase.stopRequested()
    }
    shop.phase("throws", requires: database, script: .throwsWhileDraining("disk full"), on: ladder)
    shop.phase("obedient", requires: database, script: .obedient, on: ladder)
    let recorder = Recorder(of: shop)
    async let report = shop.run(on: ladder)
    for name in ["slow", "early", "throws", "obedient"] { await ladder.recorder.wait(for: "\(name): ready") }
    shop.requestStop()
    for name in ["early: drained", "throws: failed", "obedient: drained"] { await recorder.wait(for: name) }
    await ladder.recorder.wait(for: "slow: turn")
    #expect(!recorder.events.contains { $0.hasSuffix(": cancelled") })
    #expect(!recorder.events.contains("database: draining"), "one of those that require it has not ended")
    ladder.advance(by: .seconds(10))
    #expect(await report.phases.map(\.end) == [.drained, .drained, .drained, .failed("disk full"), .drained])
    #expect(await report.took == .seconds(10))
  }

  @Test("Trap 10: what throws while draining ends its wait at once, and is not waited for by another one's count")
  func throwing() async {
    let ladder = ladder
    // A diamond: both sides must have ended before the database may, and each counts once.
    let database = shop.phase("database", script: .obedient, on: ladder)
    let left = shop.phase("left", requires: database, script: .throwsWhileDraining("left"), on: ladder)
    let right = shop.phase("right", requires: database, script: .slow(.seconds(4)), on: ladder)
    shop.phase("web", requires: left, right, script: .throwsWhileDraining("web"), on: ladder)
    async let report = shop.run(on: ladder)
    await ladder.recorder.wait(for: "web: ready")
    shop.requestStop()
    await ladder.recorder.wait(for: "right: turn")
    await ladder.recorder.wait(for: "left: ended")
    #expect(!ladder.recorder.events.contains("database: turn"), "the right one has not ended")
    ladder.advance(by: .seconds(4))
    #expect(await report.took == .seconds(4))
    #expect(await report.phases.map(\.end) == [.drained, .failed("left"), .drained, .failed("web")])
    #expect(ladder.recorder.saw(inOrder: "web: ended", "left: turn", "right: ended", "database: turn"))
  }

  @Test("Trap 11: run() returns although a body never does, and the report says: abandoned, still running")
  func abandoned() async {
    let ladder = ladder
    shop.phase("web", limit: .seconds(5)) { phase in
      phase.ready()
      ladder.recorder.record("web: ready")
      await ladder.pause(for: .seconds(100), recording: "web: hangs")
      ladder.recorder.record("web: came back")
    }
    async let report = shop.run(on: ladder)
    await ladder.recorder.wait(for: "web: hangs")
    shop.requestStop()
    ladder.advance(by: .seconds(7))
    #expect(await report.phases.map(\.end) == [.abandoned])
    #expect(await report.exitCode == 124)
    #expect(await report.text.contains("still running after 7.000 s"))
    #expect(!ladder.recorder.events.contains("web: came back"))
    // It may come back later, when nobody asks any more.
    ladder.advance(by: .seconds(100))
    await ladder.recorder.wait(for: "web: came back")
  }

  @Test("Trap 21: a drain that was cut is not a clean one, whatever the body returned: 124, and the report says so")
  func lyingSuccess() async {
    let ladder = ladder
    shop.phase("returns") { phase in
      phase.ready()
      ladder.recorder.record("returns: ready")
      // Returns, and throws nothing, when it is cancelled.
      for await _ in AsyncStream<Never>.makeStream().stream {}
    }
    shop.phase("says so") { phase in
      phase.ready()
      ladder.recorder.record("says so: ready")
      await phase.turnToStop()
      throw CutShort("2 requests in flight")
    }
    async let report = shop.run(on: ladder)
    await ladder.recorder.wait(for: "returns: ready")
    await ladder.recorder.wait(for: "says so: ready")
    shop.requestStop()
    ladder.advance(by: .seconds(17))
    #expect(await report.exitCode == 124)
    #expect(await report.phases.map(\.end.description) == ["cancelled", "cancelled"])
    #expect(await Set(report.stragglers.map(\.name)) == ["returns", "says so"])
    #expect(await report.phases[1].end.error == "2 requests in flight")
  }
}
