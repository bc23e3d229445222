import GracefulShutdown
import GracefulTesting
import Testing

/// What the report says of sessions: real tasks, manual time.
@Suite("Sessions in the report", .timeLimit(.minutes(1)))
struct SessionReportTests {
  private let clock = ManualClock()
  private let shop = Lifecycle("shop", grace: .seconds(20))

  @Test("S6: a named session that has not ended in time is among the stragglers, with its age and its phase")
  func straggler() async throws {
    let clock = clock
    shop.phase("web") { phase in
      phase.ready()
      let old = try phase.beginSession("GET /export")
      await clock.pause(for: .seconds(30), recording: "half a minute")
      let young = try phase.beginSession("GET /cart")
      let unnamed = try phase.beginSession()
      clock.recorder.record("inside")
      await phase.turnToStop()
      clock.recorder.record("web: turn")
      unnamed.end()
      young.end()
      old.end()
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "half a minute")
    clock.advance(by: .seconds(30))
    await clock.recorder.wait(for: "inside")
    shop.requestStop()
    clock.advance(by: .seconds(18))
    await clock.recorder.wait(for: "web: turn")
    let stragglers = await report.stragglers
    #expect(
      stragglers.map(\.description) == [
        "web", "GET /export in web (47.0 s old)", "GET /cart in web (17.0 s old)",
      ])
    #expect(stragglers.map(\.kind) == [.phase, .session, .session])
    #expect(await report.exitCode == 124)
    #expect(await report.phases[0].sessions?.admitted == 3)
  }

  @Test("S5, S6: what is cancelled when the time is over is the session's own task, and it counts as cancelled")
  func cancelled() async {
    let clock = clock
    shop.phase("web") { phase in
      phase.ready()
      let caller = Task {
        await #expect(throws: CancellationError.self) {
          try await phase.withSession("import", cancellable: true) {
            clock.recorder.record("import: began")
            try await Task.never()
          }
        }
        return Task.isCancelled
      }
      await phase.turnToStop()
      #expect(await caller.value == false, "only the session is cancelled")
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "import: began")
    shop.requestStop()
    clock.advance(by: .seconds(17))
    let sessions = await report.phases[0].sessions
    #expect(sessions?.cancelled == 1)
    #expect(sessions?.drained == 0)
    #expect(await report.phases.map(\.end) == [.cancelled])
    #expect(await report.stragglers.map(\.name) == ["web", "import"])
  }

  @Test("Drained, failed and refused sessions are told apart, and a failed session is no failure of the phase")
  func counts() async {
    let clock = clock
    shop.phase("web") { phase in
      phase.ready()
      try await phase.withSession("before") {}
      _ = try? await phase.withSession("failing") { throw PhaseScript.Failure("no stock") }
      let open = try phase.beginSession()
      clock.recorder.record("inside")
      await phase.drainRequested()
      // Told first, closed then: the refusal may come a moment later.
      while let session = try? phase.beginSession() { session.end() }
      open.end()
      await phase.turnToStop()
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "inside")
    shop.requestStop()
    let sessions = await report.phases[0].sessions
    #expect(await report.exitCode == 0)
    #expect(sessions?.drained == 1)
    #expect(sessions?.failed == 1)
    #expect(sessions?.refused == 1)
    #expect(sessions?.abandoned == 0)
  }

  @Test("A session that never ends keeps its phase open until its time is over, and is abandoned")
  func abandoned() async {
    let clock = clock
    shop.phase("web", limit: .seconds(5)) { phase in
      phase.ready()
      Task.detached {
        try await phase.withSession("stuck") {
          clock.recorder.record("stuck: began")
          await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
        }
      }
      await phase.turnToStop()
      clock.recorder.record("web: turn")
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "stuck: began")
    shop.requestStop()
    clock.advance(by: .seconds(5))
    clock.advance(by: .seconds(1))
    await clock.recorder.wait(for: "web: turn")
    clock.advance(by: .seconds(2))
    #expect(await report.phases[0].sessions?.abandoned == 1)
    #expect(await report.phases.map(\.end) == [.abandoned])
    #expect(await report.stragglers.map(\.name) == ["web", "stuck"])
  }
}

extension Task where Success == Never, Failure == Never {
  /// Waits until it is cancelled.
  fileprivate static func never() async throws {
    let (stream, continuation) = AsyncStream.makeStream(of: Never.self)
    for await _ in stream {}
    continuation.finish()
    try checkCancellation()
  }
}
