import Graceful
import GracefulTesting
import ServiceLifecycle
import Testing

@Suite("A service of swift-service-lifecycle as a phase", .timeLimit(.minutes(1)))
struct ServicePhaseTests {
  private let recorder = Recorder()
  private let shop = Lifecycle("shop", grace: .seconds(30), logger: .silent)

  @Test("starts in the order of the graph, and hears its graceful shutdown when its turn has come")
  func order() async {
    let database = shop.phase("database", service: ScriptedService(name: "database", recorder: recorder))
    let queue = shop.phase(
      "queue", requires: database, service: ScriptedService(name: "queue", recorder: recorder))
    shop.phase("web", requires: queue, service: ScriptedService(name: "web", recorder: recorder))
    async let report = shop.run()
    await recorder.wait(for: "web: started")
    shop.requestStop()
    #expect(await report.phases.map(\.end) == [.drained, .drained, .drained])
    #expect(await report.exitCode == 0)
    // A phase is ready as its service is called: so the starts of a chain follow each other, but may overlap.
    #expect(
      recorder.events.filter { !$0.hasSuffix("started") } == [
        "web: told", "web: ended", "queue: told", "queue: ended", "database: told", "database: ended",
      ])
  }

  @Test("holds up those that require it until it says itself that it is ready, when readiness is explicit")
  func explicitReadiness() async {
    let recorder = recorder
    let database = shop.phase(
      "database", readiness: .explicit,
      service: ScriptedService(
        name: "database", recorder: recorder,
        work: {
          recorder.record("database: ready")
          Phase.current?.ready()
          await ScriptedService.untilTold()
        }))
    shop.phase("web", requires: database, service: ScriptedService(name: "web", recorder: recorder))
    async let report = shop.run()
    await recorder.wait(for: "web: started")
    #expect(recorder.saw(inOrder: "database: started", "database: ready", "web: started"))
    shop.requestStop()
    #expect(await report.exitCode == 0)
  }

  @Test("that returns by itself stops the lifecycle in order, and is no failure")
  func returns() async {
    shop.phase("web", service: ScriptedService(name: "web", recorder: recorder, work: {}))
    let report = await shop.run()
    #expect(report.request == StopRequest(source: .phaseEnded("web")))
    #expect(report.phases.map(\.end) == [.endedByItself])
    #expect(report.exitCode == 0)
  }

  @Test("that throws by itself stops the lifecycle in order, as failed")
  func throwsByItself() async {
    let database = shop.phase("database", service: ScriptedService(name: "database", recorder: recorder))
    shop.phase(
      "web", requires: database,
      service: ScriptedService(name: "web", recorder: recorder, work: { throw Broken.pipe }))
    let report = await shop.run()
    #expect(report.phases.map(\.end) == [.drained, .failed("pipe")])
    #expect(report.exitCode == 1)
    #expect(recorder.saw(inOrder: "web: ended", "database: told", "database: ended"))
  }

  @Test("is cancelled when the lifecycle cancels its phase")
  func cancelled() async {
    shop.phase(
      "web", limit: .milliseconds(20),
      service: ScriptedService(name: "web", recorder: recorder, work: { await ScriptedService.untilCancelled() }))
    // Not by the clock: the two seconds that it has then may be over before it runs, when other tests keep the pool busy.
    let clock = ManualClock()
    async let report = shop.run(on: clock)
    await recorder.wait(for: "web: started")
    shop.requestStop()
    await recorder.wait(for: "web: told")
    clock.advance(by: .milliseconds(20))
    #expect(await report.phases.map(\.end) == [.cancelled])
    #expect(recorder.events == ["web: started", "web: told", "web: cancelled", "web: ended"])
  }

  @Test("hears its graceful shutdown at the stop request when it is to stop then, before those that require it ended")
  func stopsEarly() async {
    let recorder = recorder
    let database = shop.phase(
      "database", stops: .stopRequested, service: ScriptedService(name: "database", recorder: recorder))
    shop.phase(
      "web", requires: database,
      service: ScriptedService(name: "web", recorder: recorder, cleanup: { await recorder.sees("database: ended") }))
    async let report = shop.run()
    await recorder.wait(for: "web: started")
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(recorder.saw(inOrder: "database: ended", "web: ended"))
  }

  @Test("that is a ServiceGroup itself stops its services at the turn of its phase, last one first")
  func innerGroup() async {
    let recorder = recorder
    let inner = ServiceGroup(
      services: [
        ScriptedService(name: "pool", recorder: recorder), ScriptedService(name: "server", recorder: recorder),
      ], logger: .silent)
    let application = shop.phase("application", service: inner)
    shop.phase(
      "front", requires: application,
      service: ScriptedService(name: "front", recorder: recorder))
    async let report = shop.run()
    await recorder.wait(for: "front: started")
    await recorder.wait(for: "server: started")
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(
      recorder.saw(
        inOrder: "front: told", "front: ended", "server: told", "server: ended", "pool: told", "pool: ended"))
  }
}

/// What users do to test their own shutdown.
@Suite("A service as a phase, under a manual clock", .timeLimit(.minutes(1)))
struct ServiceUnderTestTests {
  @Test("hears its graceful shutdown at its drain, and its cancellation when its limit is over, in manual time")
  func manualTime() async {
    let clock = ManualClock()
    let shop = Lifecycle("shop", grace: .seconds(20), logger: .silent)
    let database = shop.phase("database", service: ScriptedService(name: "database", recorder: clock.recorder))
    shop.phase(
      "web", requires: database, limit: .seconds(5),
      service: ScriptedService(
        name: "web", recorder: clock.recorder, work: { await ScriptedService.untilCancelled() }))
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: started")
    await clock.recorder.wait(for: "database: started")
    shop.requestStop()
    await clock.recorder.wait(for: "web: told")
    clock.advance(by: .seconds(5))
    #expect(await report.phases.map(\.end) == [.drained, .cancelled])
    #expect(
      clock.recorder.saw(inOrder: "web: told", "web: cancelled", "web: ended", "database: told", "database: ended"))
  }

  @Test("hears nothing before its cancellation when it is to stop only at that")
  func stopsAtCancellation() async {
    let clock = ManualClock()
    let shop = Lifecycle("shop", grace: .seconds(20), logger: .silent)
    shop.phase(
      "web", limit: .seconds(5), stops: .cancelled,
      service: ScriptedService(
        name: "web", recorder: clock.recorder, work: { await ScriptedService.untilCancelled() }))
    shop.phase("other", service: ScriptedService(name: "other", recorder: clock.recorder))
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: started")
    await clock.recorder.wait(for: "other: started")
    shop.requestStop()
    await clock.recorder.wait(for: "other: ended")
    clock.advance(by: .milliseconds(4_999))
    #expect(!clock.recorder.events.contains("web: told"))
    clock.advance(by: .milliseconds(1))
    #expect(await report.phases.map(\.end) == [.cancelled, .drained])
    #expect(clock.recorder.events.contains("web: cancelled"))
  }
}

enum Broken: Error { case pipe }
