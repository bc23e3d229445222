import GracefulShutdown
import GracefulTesting
import Synchronization
import Testing

/// What comes in while the door closes.
@Suite("Coming in while a phase closes", .timeLimit(.minutes(1)))
struct AdmissionTrapTests {
  private let clock = ManualClock()
  private let shop = Lifecycle("shop", grace: .seconds(20), logger: .silent)

  /// Four tasks open sessions and child phases without a pause, and the stop comes at some moment.
  @Test("Trap 1: each is admitted and waited for, or refused and its caller sees it; none is lost", arguments: 0..<20)
  func race(round: Int) async {
    let clock = clock
    let (admitted, ended, refused) = (Count(), Count(), Count())
    shop.phase("web") { phase in
      phase.ready()
      await withTaskGroup { group in
        for worker in 0..<4 {
          group.addTask {
            while true {
              do {
                let work = { @Sendable in
                  admitted.add()
                  await Task.yield()
                  ended.add()
                }
                if worker % 2 == 0 {
                  try await phase.withSession(body: work)
                } else {
                  try await phase.withPhase("child") { _ in await work() }
                }
                if admitted.value > 50 + round * 10 { clock.recorder.record("busy") }
              } catch {
                #expect((error as? PhaseError)?.code == .refused)
                refused.add()
                return
              }
            }
          }
        }
        await phase.turnToStop()
        #expect(ended.value == admitted.value, "its turn came before their end")
      }
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "busy")
    shop.requestStop()
    let sessions = await report.phases[0].sessions
    #expect(await report.exitCode == 0)
    #expect(refused.value == 4, "each saw its refusal")
    let children = await report.childrenOpened
    #expect((sessions?.admitted ?? 0) + children == admitted.value)
    #expect(sessions?.refused == 2, "that of a child phase is seen by its caller alone")
    #expect(sessions?.abandoned == 0)
  }

  @Test("Trap 1: a phase or a session that is opened after the end is refused, not lost")
  func afterTheEnd() async throws {
    let kept = Mutex<Phase?>(nil)
    shop.phase("web") { phase in
      kept.withLock { $0 = phase }
      phase.requestStop()
      await phase.turnToStop()
    }
    #expect(await shop.run(on: clock).exitCode == 0)
    let phase = try #require(kept.withLock { $0 })
    await #expect(throws: PhaseError.self) { try await phase.withPhase("late") { _ in _ = Issue.record("it ran") } }
    await #expect(throws: PhaseError.self) { try await phase.withSession("late") { _ = Issue.record("it ran") } }
    #expect(throws: PhaseError.self) { _ = try phase.beginSession() }
  }

  @Test("Trap 2: what is inside opens sub-work while the phase drains, here and in what the phase requires")
  func subWork() async {
    let clock = clock
    let kept = Mutex<Phase?>(nil)
    let database = shop.phase("database") { phase in
      kept.withLock { $0 = phase }
      phase.ready()
      await phase.turnToStop()
      clock.recorder.record("database: turn")
    }
    shop.phase("web", requires: database) { web in
      web.ready()
      try await web.withSession("POST /orders") {
        clock.recorder.record("request: began")
        await web.drainRequested()
        // At the edge it is refused: this task is in no session.
        await Task.detached {
          let refusal = #expect(throws: PhaseError.self) { _ = try web.beginSession("GET /") }
          #expect(refusal?.code == .refused)
        }.value
        // The draining of a request needs the database, and more of this phase.
        try await kept.withLock { $0 }?.withSession("INSERT") { clock.recorder.record("database: session") }
        try await withSession("write the log") {
          try await withSession("flush") { clock.recorder.record("web: session in a session") }
        }
        let session = try web.beginSession("audit")
        let inner = session.beginSession()
        inner.end()
        session.end()
      }
      clock.recorder.record("request: ended")
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "request: began")
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(
      clock.recorder.saw(
        inOrder: "database: session", "web: session in a session", "request: ended", "database: turn"))
    #expect(await report.phases[1].sessions?.refused == 1)
    #expect(await report.phases[1].sessions?.admitted == 5)
  }
}

extension Phase {
  /// With a label, where two closures would be hard to tell apart.
  fileprivate func withSession(body: @Sendable () async -> Void) async throws { try await withSession(nil, body) }
}
