import GracefulShutdown
import GracefulTesting
import Testing

/// Phases that are opened while the program runs (S12), with real tasks and manual time.
@Suite("A phase opened while running", .timeLimit(.minutes(1)))
struct ChildPhaseTests {
  private let clock = ManualClock()
  private let shop = Lifecycle("shop", grace: .seconds(20))

  /// Code that was handed nothing.
  private static func importGoods(_ recorder: Recorder) async throws {
    try await withPhase("import") { phase in
      recorder.record("import: open in \(Phase.current === phase ? "itself" : "something else")")
      await phase.turnToStop()
      recorder.record("import: turn")
    }
  }

  @Test("S12: is found through the task, hears the stop, and ends before the phase that it is in has its turn")
  func throughTheTask() async {
    let clock = clock
    shop.phase("web") { phase in
      phase.ready()
      async let imported: Void = Self.importGoods(clock.recorder)
      await phase.turnToStop()
      clock.recorder.record("web: turn")
      try await imported
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "import: open in itself")
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(clock.recorder.saw(inOrder: "import: turn", "web: turn"))
    #expect(await report.childrenOpened == 1)
    #expect(await report.phases.map(\.name) == ["web", "web/import"])
  }

  @Test("S12, trap 1: is refused once its parent waits, and whoever opens it sees that")
  func refused() async {
    let clock = clock
    shop.phase("web") { phase in
      phase.ready()
      clock.recorder.record("web: ready")
      await phase.turnToStop()
      do {
        try await withPhase("late") { _ in clock.recorder.record("late ran") }
      } catch let error as PhaseError {
        clock.recorder.record("\(error.code)")
        #expect("\(error)".hasPrefix("phase \"late\" on phase \"web\": refused"))
      }
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(clock.recorder.events.last == "refused")
  }

  @Test("Outside any phase there is no current one, and withPhase says what to do")
  func outside() async {
    #expect(Phase.current == nil)
    await #expect(throws: PhaseError.self) { try await withPhase("lost") { _ in } }
  }

  @Test("Trap 2: a session inside opens one also while the phase drains, and all is waited for")
  func inside() async {
    let clock = clock
    shop.phase("web") { phase in
      phase.ready()
      async let request: Void = phase.withSession("POST /orders") {
        clock.recorder.record("request: began")
        await phase.drainRequested()
        try await withPhase("write") { _ in clock.recorder.record("write: ran") }
        clock.recorder.record("request: ended")
      }
      await phase.turnToStop()
      clock.recorder.record("web: turn")
      try await request
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "request: began")
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(clock.recorder.saw(inOrder: "request: began", "write: ran", "request: ended", "web: turn"))
    #expect(await report.phases[0].sessions?.drained == 1)
  }

  @Test("Stops when its task is cancelled: those inside first, and the rest runs on")
  func cancelledTask() async {
    let clock = clock
    shop.phase("web") { phase in
      phase.ready()
      let task = Task {
        try await withPhase("outer") { outer in
          try await withPhase("inner") { inner in
            clock.recorder.record("inner: open")
            await inner.turnToStop()
            clock.recorder.record("inner: turn")
          }
          await outer.turnToStop()
          clock.recorder.record("outer: turn")
        }
      }
      await clock.recorder.wait(for: "inner: open")
      task.cancel()
      _ = await task.result
      #expect(!phase.isStopRequested)
      clock.recorder.record("task ended")
      await phase.turnToStop()
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "task ended")
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(clock.recorder.saw(inOrder: "inner: turn", "outer: turn", "task ended"))
  }

  @Test("Stops alone, and its error goes to whoever opened it")
  func stopsAlone() async {
    let clock = clock
    shop.phase("web") { phase in
      phase.ready()
      do {
        try await withPhase("import") { child in
          child.requestStop()
          await child.turnToStop()
          throw PhaseScript.Failure("half done")
        }
      } catch {
        clock.recorder.record("\(error)")
      }
      await phase.turnToStop()
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "half done")
    shop.requestStop()
    #expect(await report.exitCode == 0)
  }

  @Test("One that ignores its cancellation is named, with the phase that it holds up")
  func straggler() async {
    let clock = clock
    shop.phase("web") { phase in
      phase.ready()
      try await withPhase("import", limit: .seconds(5)) { child in
        clock.recorder.record("import: open")
        await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
      }
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "import: open")
    shop.requestStop()
    clock.advance(by: .seconds(20))
    #expect(await report.exitCode == 124)
    #expect(await report.stragglers.map(\.name) == ["web/import", "web"])
    #expect(await report.phases.map(\.end) == [.abandoned, .abandoned])
  }

  @Test("A phase of the graph that is stopped alone takes those with it that require it, in order, and no others")
  func stopOfAPhase() async {
    let clock = clock
    let database = shop.phase("database") { phase in
      phase.ready()
      await phase.turnToStop()
      clock.recorder.record("database: turn")
    }
    shop.phase("web", requires: database, script: .obedient, on: clock)
    shop.phase("queue", script: .obedient, on: clock)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    await clock.recorder.wait(for: "queue: ready")
    shop.requestStop(of: database)
    await clock.recorder.wait(for: "database: turn")
    #expect(clock.recorder.saw(inOrder: "web: ended", "database: turn"))
    #expect(!clock.recorder.events.contains("queue: turn"))
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(await report.phases.map(\.end) == [.drained, .drained, .drained])
  }
}
