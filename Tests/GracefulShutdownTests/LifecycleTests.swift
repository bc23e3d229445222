import GracefulShutdown
import GracefulTesting
import Testing

/// The driver: real tasks, manual time.
@Suite("A lifecycle", .timeLimit(.minutes(1)))
struct LifecycleTests {
  private let clock = ManualClock()
  private let shop = Lifecycle("shop", grace: .seconds(20))

  private func three(_ web: PhaseScript, limit: Duration? = nil) {
    let database = shop.phase("database", script: .obedient, on: clock)
    let queue = shop.phase("queue", requires: database, script: .obedient, on: clock)
    shop.phase("web", requires: queue, limit: limit, script: web, on: clock)
  }

  @Test("starts in order and stops in reverse order, exit 0")
  func order() async {
    three(.obedient)
    async let report = shop.run(on: clock, exiting: true)
    await clock.recorder.wait(for: "web: ready")
    shop.requestStop(StopRequest(why: "maintenance"))
    #expect(await report.exitCode == 0)
    #expect(await report.request == StopRequest(source: .code, why: "maintenance"))
    #expect(
      clock.recorder.events == [
        "database: started", "database: ready", "queue: started", "queue: ready", "web: started", "web: ready",
        "web: turn", "web: ended", "queue: turn", "queue: ended", "database: turn", "database: ended", "exit 0",
      ])
    #expect(clock.exits == [.init(code: 0, atOnce: false)])
    #expect(await clock.reports == [report.text])
  }

  @Test("cancels what does not drain when the deadline comes near, and the rest stops in order")
  func ignoredDrain() async {
    three(.ignoresDrain)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    shop.requestStop()
    await clock.recorder.wait(for: "web: turn")
    clock.advance(by: .milliseconds(16_900))
    #expect(!clock.recorder.events.contains("web: cancelled"))
    clock.advance(by: .milliseconds(100))
    #expect(await report.exitCode == 124)
    #expect(await report.stragglers.first?.name == "web")
    #expect(
      clock.recorder.saw(inOrder: "web: cancelled", "web: ended", "queue: turn", "queue: ended", "database: turn"))
  }

  @Test("abandons what ignores its cancellation, and leaves at once")
  func ignoredCancel() async {
    three(.ignoresCancel, limit: .seconds(5))
    async let report = shop.run(on: clock, exiting: true)
    await clock.recorder.wait(for: "web: ready")
    shop.requestStop()
    await clock.recorder.wait(for: "web: turn")
    clock.advance(by: .seconds(5))
    await clock.recorder.wait(for: "web: cancelled")
    clock.advance(by: .seconds(2))
    #expect(await report.exitCode == 124)
    #expect(await report.phases.map(\.end) == [.drained, .drained, .abandoned])
    #expect(await report.phases[2].drainedFor == .seconds(7))
    #expect(clock.exits.first == .init(code: 124, atOnce: true))
    #expect(clock.reports.count == 1, "written once, although two would have left")
  }

  @Test("A phase that needs a while and stays within its limit is drained, and the report says how long it took")
  func slow() async {
    three(.slow(.seconds(3)), limit: .seconds(5))
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    clock.advance(by: .seconds(60))
    shop.requestStop()
    await clock.recorder.wait(for: "web: turn")
    clock.advance(by: .seconds(3))
    #expect(await report.exitCode == 0)
    #expect(await report.ran == .seconds(60))
    #expect(await report.took == .seconds(3))
    #expect(await report.phases[2].drainedFor == .seconds(3))
  }

  @Test("A start that fails unwinds what began, in order, and the report has the error")
  func startFailure() async {
    three(.failsAtStart("no port"))
    let report = await shop.run(on: clock)
    #expect(report.exitCode == 1)
    #expect(report.phases.map(\.end) == [.drained, .drained, .failed("no port")])
    #expect(clock.recorder.saw(inOrder: "web: ended", "queue: turn", "queue: ended", "database: turn"))
    #expect(report.text.contains("!     no port"))
  }

  @Test("What waits for a phase that is never ready never starts, and the stop does not wait for it")
  func neverReady() async {
    shop.phase("web", requires: "database", script: .obedient, on: clock)
    shop.phase("database", script: .neverReady, on: clock)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "database: started")
    shop.requestStop()
    #expect(await report.phases.map(\.end) == [.neverStarted, .drained])
  }

  @Test("A phase that throws while draining ends its wait at once; the rest stops in order, exit 1")
  func throwsWhileDraining() async {
    three(.throwsWhileDraining("disk full"))
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    shop.requestStop()
    #expect(await report.exitCode == 1)
    #expect(await report.took == .zero)
    #expect(await report.phases.map(\.end) == [.drained, .drained, .failed("disk full")])
  }

  @Test("A third SIGTERM leaves at once with 143, whatever still runs")
  func thirdSignal() async {
    three(.ignoresCancel)
    async let report = shop.run(on: clock, exiting: true)
    await clock.recorder.wait(for: "web: ready")
    for _ in 0..<3 { shop.requestStop(StopRequest(source: .signal(15))) }
    // Before anything else could run: the third request itself has left.
    #expect(clock.exits.first == .init(code: 143, atOnce: true))
    #expect(await report.exitCode == 143)
  }

  @Test("Cancelling the task that runs it is passed on, in order")
  func cancelledCaller() async {
    three(.obedient)
    let task = Task { await shop.run(on: clock) }
    await clock.recorder.wait(for: "web: ready")
    task.cancel()
    let report = await task.value
    #expect(report.request?.source == .cancellation)
    #expect(report.phases.map(\.end) == [.cancelled, .cancelled, .cancelled])
    #expect(report.exitCode == 124)
    #expect(clock.recorder.saw(inOrder: "web: ended", "queue: turn", "queue: ended", "database: turn"))
  }

  @Test("A stop that is requested before run() starts nothing")
  func stopBeforeRun() async {
    three(.obedient)
    shop.requestStop()
    let report = await shop.run(on: clock)
    #expect(report.phases.map(\.end) == [.neverStarted, .neverStarted, .neverStarted])
    #expect(clock.recorder.events.isEmpty)
  }

  @Test("run() twice is one run with one report; a phase that is added later is not started")
  func twice() async {
    three(.obedient)
    async let first = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    shop.phase("late", script: .obedient, on: clock)
    async let second = shop.run(on: clock)
    shop.requestStop()
    let reports = await (first, second)
    #expect(reports.0 == reports.1)
    #expect(await shop.run(on: clock) == reports.0)
    #expect(reports.0.phases.map(\.name) == ["database", "queue", "web"])
    shop.requestStop()
  }

  @Test("A mistake in the configuration starts nothing, exit 78")
  func mistake() async {
    shop.phase("web", requires: "databse", script: .obedient, on: clock)
    let report = await shop.run(on: clock, exiting: true)
    #expect(report.mistakes.count == 1)
    #expect(clock.recorder.events == ["exit 78"])
  }
}
