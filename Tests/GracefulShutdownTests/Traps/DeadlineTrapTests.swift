import GracefulShutdown
import GracefulTesting
import Synchronization
import Testing

/// From when on time counts, and whose it is.
@Suite("Deadlines", .timeLimit(.minutes(1)))
struct DeadlineTrapTests {
  private let clock = ManualClock()
  private let shop = Lifecycle("shop", grace: .seconds(20), logger: .silent)

  @Test("Trap 8: one deadline, fixed by the first request; what comes later does not move it")
  func firstRequest() async {
    shop.phase("web", script: .ignoresCancel, on: clock)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    clock.advance(by: .seconds(3600))
    shop.requestStop(StopRequest(why: "first"))
    await clock.recorder.wait(for: "web: turn")
    for _ in 0..<16 {
      clock.advance(by: .seconds(1))
      shop.requestStop(StopRequest(why: "again"))
      shop.requestStop(StopRequest(source: .signal(1)))
    }
    clock.advance(by: .seconds(1))
    await clock.recorder.wait(for: "web: cancelled")
    clock.advance(by: .seconds(2))
    // One second of the grace is left for the report and the exit.
    #expect(await report.took == .seconds(19))
    #expect(await report.request?.why == "first")
  }

  @Test("Trap 8: a phase has its own limit from its drain on, clipped to what the whole has left")
  func clipped() async {
    let clock = clock
    let start = clock.time
    let seen = Mutex<[String: [ContinuousClock.Instant?]]>([:])
    let body: @Sendable (Phase) async -> Void = { phase in
      phase.ready()
      clock.recorder.record("\(phase.name): ready")
      await phase.stopRequested()
      let heard = phase.deadline
      await phase.turnToStop()
      let turn = phase.deadline
      seen.withLock { $0[phase.name] = [heard, turn] }
      await clock.pause(for: .seconds(4), recording: "\(phase.name): drains")
    }
    let last = shop.phase("last", limit: .seconds(15)) { await body($0) }
    let middle = shop.phase("middle", requires: last, limit: .seconds(5)) { await body($0) }
    shop.phase("first", requires: middle, limit: .seconds(60)) { await body($0) }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "first: ready")
    shop.requestStop()
    for name in ["first", "middle", "last"] {
      await clock.recorder.wait(for: "\(name): drains")
      clock.advance(by: .seconds(4))
    }
    #expect(await report.exitCode == 0)
    let deadlines = seen.withLock { $0 }
    #expect(deadlines.values.allSatisfy { $0[0] == start + .seconds(17) }, "until its drain, that of the whole")
    #expect(deadlines["first"]?[1] == start + .seconds(17), "60 s are clipped")
    #expect(deadlines["middle"]?[1] == start + .seconds(4 + 5))
    #expect(deadlines["last"]?[1] == start + .seconds(17), "15 s from second 8 on are clipped")
  }

  @Test("Trap 8: a child phase has no longer than its parent, however long its own limit is")
  func child() async {
    let clock = clock
    let start = clock.time
    shop.phase("web", limit: .seconds(6)) { phase in
      phase.ready()
      try await phase.withPhase("import", limit: .seconds(600)) { child in
        clock.recorder.record("import: open")
        await child.drainRequested()
        #expect(child.deadline == start + .seconds(6))
      }
      try await phase.withPhase("quick", limit: .seconds(2)) { _ in _ = Issue.record("its parent drains") }
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "import: open")
    shop.requestStop()
    // The second one was refused, and what the body does with that is its own affair: here it throws it on.
    #expect(await report.exitCode == 1)
    #expect(await report.phases[0].end.error?.hasPrefix("phase \"quick\" on phase \"web\": refused") == true)
  }

  @Test("Trap 22: telemetry that everything requires drains last, not cancelled, with what the limits before it leave")
  func telemetry() async {
    let clock = clock
    let start = clock.time
    let telemetry = shop.phase("telemetry", limit: .seconds(3)) { phase in
      phase.ready()
      await phase.turnToStop()
      #expect(phase.deadline == start + .seconds(16 + 1))
      await clock.pause(for: .milliseconds(900), recording: "telemetry: exports")
      try Task.checkCancellation()
    }
    let database = shop.phase("database", requires: telemetry, limit: .seconds(4), script: .ignoresDrain, on: clock)
    shop.phase("web", requires: [database, telemetry], limit: .seconds(10), script: .ignoresCancel, on: clock)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    shop.requestStop()
    await clock.recorder.wait(for: "web: turn")
    clock.advance(by: .seconds(10))
    await clock.recorder.wait(for: "web: cancelled")
    clock.advance(by: .seconds(2))
    await clock.recorder.wait(for: "database: turn")
    clock.advance(by: .seconds(4))
    await clock.recorder.wait(for: "telemetry: exports")
    clock.advance(by: .milliseconds(900))
    #expect(await report.phases.map(\.end) == [.drained, .cancelled, .abandoned])
    #expect(await report.took == .milliseconds(16_900))
  }

  @Test("Trap 28: the clock comes in from outside, one for everything: no second passes but those of the test")
  func noOtherTime() async {
    let clock = clock
    shop.phase("web", startLimit: .seconds(50), script: .slowStart(.seconds(40)), on: clock)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: starting")
    clock.advance(by: .seconds(40))
    await clock.recorder.wait(for: "web: ready")
    clock.advance(by: .seconds(86_400))
    shop.requestStop()
    #expect(await report.phases[0].readyAfter == .seconds(40))
    #expect(await report.ran == .seconds(86_440))
    #expect(await report.took == .zero)
  }

  @Test("Trap 28: time that passed while the machine slept counts: what became due meanwhile is due at once")
  func suspended() async {
    shop.phase("web", limit: .seconds(5), script: .ignoresCancel, on: clock)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    shop.requestStop()
    await clock.recorder.wait(for: "web: turn")
    // ContinuousClock goes on while the machine is suspended: a lid that was closed for a night.
    clock.advance(by: .seconds(8 * 3600))
    #expect(await report.phases.map(\.end) == [.abandoned])
    #expect(await report.exitCode == 124)
  }
}
