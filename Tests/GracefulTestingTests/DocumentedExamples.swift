import Graceful
import GracefulTesting
import Testing

/// The examples of the documentation, word for word (`DocumentationTests` holds the two against each other).
@Suite("The examples in the documentation of GracefulTesting do what they say")
struct DocumentedExamples {
  @Test(.timeLimit(.minutes(1))) func aWebServerThatHangsIsCutOff() async {
    let clock = ManualClock()
    let shop = Lifecycle("shop", grace: .seconds(20))
    let database = shop.phase("database", script: .obedient, on: clock)
    shop.phase("web", requires: database, script: .ignoresDrain, on: clock)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")

    shop.requestStop()
    await clock.recorder.wait(for: "web: turn")
    clock.advance(by: .seconds(17))  // 20 s less 2 s to cancel and 1 s to leave

    #expect(await report.exitCode == 124)
    #expect(await report.stragglers.first?.name == "web")
    #expect(clock.recorder.saw(inOrder: "web: turn", "web: cancelled", "web: ended", "database: turn"))
  }

  @Test(.timeLimit(.minutes(1))) func thePipelineDrainsBeforeTheDatabase() async {
    let clock = ManualClock()
    let shop = Lifecycle("shop")
    let database = shop.phase("database", script: .obedient, on: clock)
    let pipeline = ScriptedService("pipeline", .slow(.seconds(3)), on: clock)
    shop.phase("pipeline", requires: database, service: pipeline)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "pipeline: started")

    shop.requestStop()
    await clock.recorder.wait(for: "pipeline: drains")
    clock.advance(by: .seconds(3))

    #expect(await report.exitCode == 0)
    #expect(clock.recorder.saw(inOrder: "pipeline: told", "pipeline: ended", "database: turn"))
  }

  @Test(.timeLimit(.minutes(1))) func theQueueIsEmptyBeforeTheDatabaseCloses() async {
    let clock = ManualClock()
    let shop = Lifecycle("shop")
    let database = shop.phase("database") { phase in
      phase.ready()
      await phase.turnToStop()
    }
    shop.phase("queue", requires: database) { phase in
      phase.ready()
      try await phase.withCancellation(at: .drain) { for await _ in AsyncStream<Int>.makeStream().stream {} }
    }
    let recorder = Recorder(of: shop)
    async let report = shop.run(on: clock)
    await recorder.wait(for: "queue: ready")

    shop.requestStop(StopRequest(source: .signal(15)))

    #expect(await report.exitCode == 0)
    await recorder.wait(for: "finished")
    #expect(recorder.saw(inOrder: "stop requested: SIGTERM", "queue: draining", "queue: drained", "database: draining"))
  }
}
