import GracefulShutdown
import TestHost
import Testing

@testable import GracefulTesting

/// Each script does what it says, and records it.
@Suite("A scripted phase", .timeLimit(.minutes(1)))
struct PhaseScriptTests {
  private let clock = ManualClock()
  private let shop = Lifecycle("shop", grace: .seconds(20))

  private var events: [String] { clock.recorder.events }

  /// Runs one such phase until it is ready, asks for the stop, and lets `then` see it through.
  private func end(of script: PhaseScript, then: (ManualClock) async -> Void = { _ in }) async -> LifecycleReport {
    shop.phase("web", script: script, on: clock)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    shop.requestStop()
    await then(clock)
    return await report
  }

  @Test("that is obedient")
  func obedient() async {
    #expect(await end(of: .obedient).phases.map(\.end) == [.drained])
    #expect(events == ["web: started", "web: ready", "web: turn", "web: ended"])
  }

  @Test("that fails at its start")
  func failsAtStart() async {
    shop.phase("web", script: .failsAtStart("no port"), on: clock)
    #expect(await shop.run(on: clock).phases.map(\.end) == [.failed("no port")])
    #expect(events == ["web: started", "web: ended"])
  }

  @Test("that starts slowly, also when it is told to stop meanwhile")
  func slowStart() async {
    shop.phase("web", script: .slowStart(.seconds(3)), on: clock)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: starting")
    clock.advance(by: .seconds(2))
    shop.requestStop()
    clock.advance(by: .seconds(1))
    #expect(await report.phases.map(\.end) == [.drained])
    #expect(await report.took == .seconds(1))
    #expect(events == ["web: started", "web: starting", "web: ready", "web: turn", "web: ended"])
  }

  @Test("that is never ready, within its start limit")
  func neverReady() async {
    shop.phase("web", startLimit: .seconds(4), script: .neverReady, on: clock)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: started")
    clock.advance(by: .seconds(4))
    #expect(await report.phases[0].end.error == "not ready within its start limit of 4.000 s")
    #expect(events == ["web: started", "web: turn", "web: ended"])
  }

  @Test("that returns by itself")
  func returnsByItself() async {
    shop.phase("web", script: .returnsByItself(after: .seconds(7)), on: clock)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    #expect(clock.advanceToNext())
    #expect(await report.phases.map(\.end) == [.endedByItself])
    #expect(await report.ran == .seconds(7))
    #expect(events == ["web: started", "web: ready", "web: ended"])
  }

  @Test("that is slow, and ignores its cancellation meanwhile")
  func slow() async {
    let report = await end(of: .slow(.seconds(18))) { clock in
      await clock.recorder.wait(for: "web: turn")
      clock.advance(by: .seconds(18))
    }
    #expect(report.phases.map(\.end) == [.cancelled])
    #expect(report.took == .seconds(18))
    #expect(events == ["web: started", "web: ready", "web: turn", "web: ended"])
  }

  @Test("that throws while draining")
  func throwsWhileDraining() async {
    #expect(await end(of: .throwsWhileDraining("disk full")).phases.map(\.end) == [.failed("disk full")])
    #expect(events == ["web: started", "web: ready", "web: turn", "web: ended"])
  }

  @Test("that ends only when it is cancelled, but then at once")
  func ignoresDrain() async {
    let report = await end(of: .ignoresDrain) { clock in
      await clock.recorder.wait(for: "web: turn")
      clock.advance(by: .seconds(17))
    }
    #expect(report.phases.map(\.end) == [.cancelled])
    #expect(report.took == .seconds(17))
    #expect(events == ["web: started", "web: ready", "web: turn", "web: cancelled", "web: ended"])
  }

  @Test("that never ends")
  func ignoresCancel() async {
    let report = await end(of: .ignoresCancel) { clock in
      await clock.recorder.wait(for: "web: turn")
      clock.advance(by: .seconds(17))
      await clock.recorder.wait(for: "web: cancelled")
      clock.advance(by: .seconds(2))
    }
    #expect(report.phases.map(\.end) == [.abandoned])
    #expect(events == ["web: started", "web: ready", "web: turn", "web: cancelled"])
  }

  @Test("with sessions inside that need a while")
  func sessions() async {
    let report = await end(of: .sessions(3, each: .seconds(2))) { clock in
      for number in 1...3 { await clock.recorder.wait(for: "web: session \(number) drains") }
      #expect(!clock.recorder.events.contains("web: turn"))
      clock.advance(by: .seconds(2))
    }
    #expect(report.phases.map(\.end) == [.drained])
    #expect(report.phases[0].sessions?.drained == 3)
    #expect(events.last == "web: ended")
    #expect(events.filter { $0.hasSuffix(" ended") }.count == 4)
  }

  @Test("with sessions inside that end only when they are cancelled")
  func endlessSessions() async {
    let report = await end(of: .sessions(2, each: nil)) { clock in
      for number in 1...2 { await clock.recorder.wait(for: "web: session \(number) drains") }
      clock.advance(by: .seconds(17))
    }
    #expect(report.phases.map(\.end) == [.cancelled])
    #expect(report.phases[0].sessions?.cancelled == 2)
    #expect(Set(report.stragglers.map(\.name)) == ["web", "session 1", "session 2"])
    #expect(events.filter { $0.hasSuffix(" cancelled") }.count == 2)
  }

  @Test("with no session at all is an obedient one", arguments: [0, -1])
  func noSessions(count: Int) async {
    #expect(await end(of: .sessions(count, each: nil)).phases.map(\.end) == [.drained])
  }

  @Test("whose sessions are refused, because it was told to drain before they began, goes on without them")
  func refusedSessions() async {
    let late = PhaseScript { phase, clock in
      clock.recorder.record("web: ready")
      await phase.drainRequested()
      // Told first, and closed then: in between a session would still be admitted.
      await eventually { (try? await phase.withSession("too early") {}) == nil }
      try await PhaseScript.sessions(2, each: nil).play(phase, clock)
    }
    let report = await end(of: late)
    #expect(report.phases.map(\.end) == [.drained])
    #expect(report.phases[0].sessions?.refused == 3)
    let refused = events.filter { $0.hasSuffix(" refused") }.sorted()
    #expect(refused == ["web: session 1 refused", "web: session 2 refused"])
    #expect(events.last == "web: ended")
  }

  @Test("of one's own")
  func own() async {
    let script = PhaseScript { phase, clock in
      phase.ready()
      clock.recorder.record("web: ready")
      await phase.turnToStop()
      clock.recorder.record("mine")
    }
    #expect(await end(of: script).exitCode == 0)
    #expect(events.contains("mine"))
  }
}
