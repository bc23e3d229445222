import GracefulShutdown
import GracefulTesting
import Testing

/// A stop that comes while things start.
@Suite("A stop during the start", .timeLimit(.minutes(1)))
struct StartingTrapTests {
  private let clock = ManualClock()
  private let shop = Lifecycle("shop", grace: .seconds(20), logger: .silent)

  @Test("Trap 5: nothing more begins, the one in start is told to stop, what started is unwound in reverse")
  func stopDuringStart() async {
    let clock = clock
    let database = shop.phase("database", script: .obedient, on: clock)
    let queue = shop.phase("queue", requires: database, script: .slowStart(.seconds(5)), on: clock)
    shop.phase("web", requires: queue, script: .obedient, on: clock)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "queue: starting")
    clock.advance(by: .seconds(2))
    shop.requestStop()
    #expect(!clock.recorder.events.contains("database: turn"), "the queue is in its start, and may need it")
    // It finishes its start, says that it is ready, and no phase starts on that.
    clock.advance(by: .seconds(3))
    #expect(await report.phases.map(\.end) == [.drained, .drained, .neverStarted])
    #expect(await report.exitCode == 0)
    #expect(clock.recorder.saw(inOrder: "queue: ready", "queue: turn", "queue: ended", "database: turn"))
    #expect(!clock.recorder.events.contains("web: started"))
    #expect(await report.phases[1].readyAfter == .seconds(5))
  }

  @Test("Trap 5: one whose start hangs has what is left of its start limit, and is cancelled then")
  func hangingStart() async {
    let database = shop.phase("database", script: .obedient, on: clock)
    shop.phase("web", requires: database, startLimit: .seconds(6)) { [clock] _ in
      clock.recorder.record("web: started")
      for await _ in AsyncStream<Never>.makeStream().stream {}
      clock.recorder.record("web: ended")
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: started")
    clock.advance(by: .seconds(2))
    shop.requestStop()
    clock.advance(by: .milliseconds(3900))
    #expect(!clock.recorder.events.contains("web: ended"))
    clock.advance(by: .milliseconds(100))
    #expect(await report.took == .seconds(4))
    #expect(await report.phases.map(\.end) == [.drained, .cancelled])
    #expect(clock.recorder.saw(inOrder: "web: ended", "database: turn"))
  }

  @Test("Trap 6: what started is unwound with the grace from the failure on, however long the start took")
  func budgetOfItsOwn() async {
    let clock = clock
    let database = shop.phase("database", script: .slow(.seconds(10)), on: clock)
    shop.phase("web", requires: database, startLimit: .seconds(600), script: .neverReady, on: clock)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: started")
    // The whole of the start limit, thirty times the grace, is used up.
    clock.advance(by: .seconds(600))
    await clock.recorder.wait(for: "database: turn")
    clock.advance(by: .seconds(10))
    #expect(await report.phases[0].end == .drained)
    #expect(await report.phases[1].end.error == "not ready within its start limit of 10 min 0 s")
    #expect(await report.took == .seconds(10))
    #expect(await report.request?.source == .phaseFailed("web"))
    // What hung had to be cancelled.
    #expect(await report.exitCode == 124)
  }

  @Test("Trap 6: the same when the start throws")
  func budgetAfterAnError() async {
    let clock = clock
    let database = shop.phase("database", script: .slow(.seconds(16)), on: clock)
    shop.phase("web", requires: database) { _ in
      await clock.pause(for: .seconds(600), recording: "web: starting")
      throw PhaseScript.Failure("no port")
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: starting")
    clock.advance(by: .seconds(600))
    await clock.recorder.wait(for: "database: turn")
    clock.advance(by: .seconds(16))
    #expect(await report.phases.map(\.end) == [.drained, .failed("no port")])
  }
}
