import GracefulShutdown
import GracefulTesting
import Synchronization
import Testing

/// Code of the user that a phase calls, and tasks in which it runs.
@Suite("Handlers and tasks of a phase", .timeLimit(.minutes(1)))
struct HandlerTrapTests {
  private let clock = ManualClock()
  private let shop = Lifecycle("shop", grace: .seconds(20), logger: .silent)
  @TaskLocal static var asker = "nobody"

  @Test("Trap 7: a handler registered when its moment has passed is called, and the operation runs all the same")
  func lateRegistration() async {
    let clock = clock
    shop.phase("web") { phase in
      phase.ready()
      phase.requestStop()
      await phase.turnToStop()
      for moment in [Phase.Moment.stopRequested, .drain, .turn] {
        let word = await phase.withHandler(at: moment) {
          clock.recorder.record("handler: \(moment)")
        } operation: {
          await clock.recorder.wait(for: "handler: \(moment)")
          return "operation: \(moment)"
        }
        clock.recorder.record(word)
      }
      // A handler whose moment never comes is not called, and holds nothing up.
      await phase.withHandler(at: .cancelled) {
        clock.recorder.record("cancelled")
      } operation: {
      }
      // Code that knows only cancellation is begun all the same, and cancelled at once.
      try await phase.withCancellation(at: .drain) {
        for await _ in AsyncStream<Never>.makeStream().stream {}
        clock.recorder.record("cancelled its own task: \(Task.isCancelled)")
      }
      #expect(!Task.isCancelled)
    }
    #expect(await shop.run(on: clock).exitCode == 0)
    #expect(
      clock.recorder.events == [
        "handler: stop requested", "operation: stop requested", "handler: drain", "operation: drain",
        "handler: turn", "operation: turn", "cancelled its own task: true",
      ])
  }

  @Test("Trap 13: phases start and drain at medium priority, although run() was called at background priority")
  func priority() async {
    let (clock, shop) = (clock, shop)
    shop.phase("web") { phase in
      clock.recorder.record("starts at \(Task.currentPriority)")
      phase.ready()
      await phase.turnToStop()
      clock.recorder.record("drains at \(Task.currentPriority)")
    }
    let running = Task.detached(priority: .background) { await shop.run(on: clock) }
    await clock.recorder.wait(for: "starts at \(TaskPriority.medium)")
    Task.detached(priority: .background) { shop.requestStop() }
    await clock.recorder.wait(for: "drains at \(TaskPriority.medium)")
    #expect(await running.value.exitCode == 0)
  }

  @Test("Trap 14: a handler may do everything that needs a lock: ask, register, open, wait for nobody")
  func reentry() async {
    let (clock, shop) = (clock, shop)
    shop.phase("web") { phase in
      phase.ready()
      await phase.withHandler(at: .stopRequested) {
        // Each of these takes the lock under which a careless library would call this handler.
        shop.requestStop(StopRequest(why: "a stop from inside a handler"))
        phase.requestStop()
        shop.requestStop(of: "web")
        _ = (phase.deadline, phase.isStopRequested, shop.snapshot(), shop.events)
        phase.ready()
        let registration = phase.register(at: .stopRequested) { clock.recorder.record("handler in a handler") }
        Task { await registration.leave() }
        let session = try? phase.beginSession().shared()
        session?.end()
        clock.recorder.record("handler")
      } operation: {
        clock.recorder.record("web: ready")
        await clock.recorder.wait(for: "handler")
        await phase.turnToStop()
      }
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    shop.requestStop(StopRequest(why: "first"))
    #expect(await report.exitCode == 0)
    #expect(await report.request?.why == "first")
  }

  @Test("Trap 14: a scope does not return while its handler runs")
  func waitsForItsHandler() async {
    let clock = clock
    let hasReturned = Flag()
    shop.phase("web") { phase in
      phase.ready()
      await phase.withHandler(at: .stopRequested) {
        clock.recorder.record("handler: runs")
        // That something does not happen cannot be awaited: 50 ms in which it does not are taken for that.
        let until = ContinuousClock.now + .milliseconds(50)
        while !hasReturned.isRaised, ContinuousClock.now < until {}
        clock.recorder.record(hasReturned.isRaised ? "handler: its scope has returned" : "handler: ends")
      } operation: {
        phase.requestStop()
        await clock.recorder.wait(for: "handler: runs")
      }
      hasReturned.raise()
      clock.recorder.record("scope: returned")
    }
    #expect(await shop.run(on: clock).exitCode == 0)
    #expect(clock.recorder.events == ["handler: runs", "handler: ends", "scope: returned"])
  }

  @Test("Trap 14: when its scope has returned, a handler is not running and never will be", arguments: 0..<50)
  func neverAfterItsScope(round: Int) async {
    let (clock, shop) = (clock, shop)
    shop.phase("web") { phase in
      phase.ready()
      clock.recorder.record("web: ready")
      for turn in 0..<200 {
        let isOpen = Flag()
        isOpen.raise()
        await phase.withHandler(at: .stopRequested) {
          // For a while: it may begin well and go on too long.
          for _ in 0..<100 where !isOpen.isRaised { Issue.record("it runs after its scope has returned") }
        } operation: {
          if turn % 2 == 0 { await Task.yield() }
        }
        isOpen.lower()
      }
      await phase.turnToStop()
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    for _ in 0..<round { await Task.yield() }
    shop.requestStop()
    #expect(await report.exitCode == 0)
  }

  @Test("Trap 15: Task {} and child tasks know their phase; Task.detached does not, and uses the one at hand")
  func taskLocals() async {
    let clock = clock
    shop.phase("web") { phase in
      phase.ready()
      let inherits = Task { Phase.current === phase }
      let detached = Task.detached { Phase.current == nil }
      async let child = Phase.current === phase
      #expect(await inherits.value)
      #expect(await detached.value)
      #expect(await child)
      #expect(Phase.current === phase)
      // What is outside any phase is refused with a sentence that says what to do; it neither hangs nor is silent.
      await Task.detached {
        await #expect(throws: PhaseError.self) { try await withSession("lost") {} }
        // A phase at hand works everywhere, also for a wait.
        try? await phase.withSession("found") { #expect(Phase.current === phase) }
        clock.recorder.record("detached: waits")
        await phase.stopRequested()
        clock.recorder.record("detached: heard, \(phase.isStopRequested)")
      }.value
      await phase.turnToStop()
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "detached: waits")
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(clock.recorder.events.last == "detached: heard, true")
  }

  @Test("Trap 15: neither a body nor a handler sees the task-local values of whoever runs or stops the lifecycle")
  func askersValues() async {
    let (clock, shop) = (clock, shop)
    shop.phase("web") { phase in
      phase.ready()
      await phase.withHandler(at: .stopRequested) {
        clock.recorder.record("handler: \(Self.asker), in \(Phase.current?.name ?? "no phase")")
      } operation: {
        clock.recorder.record("body: \(Self.asker)")
        await phase.turnToStop()
        await clock.recorder.wait(for: "handler: nobody, in no phase")
      }
    }
    await Self.$asker.withValue("whoever runs it") {
      async let report = shop.run(on: clock)
      await clock.recorder.wait(for: "body: nobody")
      Self.$asker.withValue("whoever stops it") { shop.requestStop() }
      #expect(await report.exitCode == 0)
    }
  }

  @Test("Trap 20: code that drains is not in a cancelled task, although what it runs was cancelled at its turn")
  func cleanup() async {
    let clock = clock
    shop.phase("web") { phase in
      phase.ready()
      clock.recorder.record("web: ready")
      try await phase.withCancellation(at: .drain) {
        for await _ in AsyncStream<Never>.makeStream().stream {}
      }
      try Task.checkCancellation()
      clock.recorder.record("cleaned up")
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    shop.requestStop()
    #expect(await report.phases.map(\.end) == [.drained])
    #expect(clock.recorder.events.contains("cleaned up"))
  }

  @Test("Trap 20: what must be cleaned up in a body that was cancelled runs in a task of its own, and is waited for")
  func cleanupWhenCancelled() async {
    let clock = clock
    shop.phase("web", limit: .seconds(5)) { phase in
      phase.ready()
      clock.recorder.record("web: ready")
      for await _ in AsyncStream<Never>.makeStream().stream {}
      #expect(Task.isCancelled)
      // The advice of the documentation, until there are cancellation shields (SE-0504).
      try await Task {
        try Task.checkCancellation()
        clock.recorder.record("cleaned up in \(Phase.current?.name ?? "no phase")")
      }.value
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    shop.requestStop()
    clock.advance(by: .seconds(5))
    #expect(await report.phases.map(\.end) == [.cancelled])
    #expect(clock.recorder.events.last == "cleaned up in web")
  }
}
