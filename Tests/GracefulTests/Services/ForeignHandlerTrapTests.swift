import TestHost
import CGracefulSystem
import Graceful
import GracefulTesting
import ServiceLifecycle
import Testing

/// The traps of ordered shutdown that lie where foreign code meets a phase.
@Suite("In a phase, for libraries written for swift-service-lifecycle", .timeLimit(.minutes(1)))
struct ForeignHandlerTrapTests {
  private let recorder = Recorder()
  private let shop = Lifecycle("shop", grace: .seconds(30), logger: .silent)
  @TaskLocal static var asker = "nobody"

  @Test("Trap 7: a handler that is registered once the phase drains runs at once, and so does the operation")
  func lateRegistration() async {
    let recorder = recorder
    shop.phase("web") { phase in
      phase.ready()
      try await gracefulShutdown()
      await withGracefulShutdownHandler {
        recorder.record("operation")
      } onGracefulShutdown: {
        recorder.record("handler")
      }
      try await gracefulShutdown()
      recorder.record("heard again")
    }
    shop.phase("asks") { phase in
      phase.ready()
      shop.requestStop()
    }
    #expect(await shop.run().exitCode == 0)
    #expect(recorder.events == ["handler", "operation", "heard again"])
  }

  @Test("Trap 14: a handler may do what needs the lock under which swift-service-lifecycle calls it: it is in no task")
  func lock() async {
    let recorder = recorder
    shop.phase("web") { phase in
      phase.ready()
      await withGracefulShutdownHandler {
        // From inside the very operation: its task carries the manager whose handlers are called.
        shop.requestStop()
        await recorder.sees("handler")
      } onGracefulShutdown: {
        // Would wait for ever where the handler's thread belonged to that task (defect 6).
        _ = Task.isShuttingDownGracefully
        shop.requestStop(StopRequest(why: "again, from a handler"))
        recorder.record("handler")
      }
    }
    #expect(await shop.run().exitCode == 0)
    #expect(recorder.events == ["handler"])
  }

  @Test("Trap 14: a handler that blocks its thread holds up neither the deadline nor another phase")
  func blockingHandler() async {
    let recorder = recorder
    shop.phase("blocked") { phase in
      phase.ready()
      await withGracefulShutdownHandler {
        recorder.record("blocked: ready")
        await recorder.sees("handler is back")
      } onGracefulShutdown: {
        // Until the other two have ended; 20 s at most, so that a failure does not hang the tests.
        for _ in 0..<2000 where !recorder.saw(inOrder: "deadline has come") || !recorder.events.contains("other: ended")
        {
          _ = cgs_poll(nil, 0, 10)
        }
        recorder.record("handler is back")
      }
    }
    shop.phase("hangs", limit: .milliseconds(20)) { phase in
      phase.ready()
      await ScriptedService.untilCancelled()
      recorder.record("deadline has come")
    }
    shop.phase("other") { phase in
      phase.ready()
      try await gracefulShutdown()
      recorder.record("other: ended")
    }
    async let report = shop.run()
    await recorder.wait(for: "blocked: ready")
    shop.requestStop()
    // In the live environment, whose threads are meant: how soon the pool lets what was cancelled come back is open.
    let ends = await report.phases.map(\.end)
    #expect([[.drained, .cancelled, .drained], [.drained, .abandoned, .drained]].contains(ends))
    #expect(recorder.saw(inOrder: "deadline has come", "handler is back"))
    #expect(recorder.saw(inOrder: "other: ended", "handler is back"))
  }

  @Test("Trap 15: Task {} hears its phase, Task.detached does not, and withGracefulShutdown(at:) mends it")
  func detachedTasks() async {
    let recorder = recorder
    shop.phase("web") { phase in
      phase.ready()
      let inherits = Task { try await gracefulShutdown() }
      let detached = Task.detached { () -> String in
        await phase.turnToStop()
        return "\(Task.isShuttingDownGracefully), in \(Phase.current?.name ?? "no phase")"
      }
      let bound = Task.detached {
        try await phase.withGracefulShutdown {
          recorder.record("ready")
          try await gracefulShutdown()
        }
      }
      try await inherits.value
      recorder.record("inherits: \(Task.isShuttingDownGracefully), in \(Phase.current?.name ?? "no phase")")
      recorder.record("detached: \(await detached.value)")
      try await bound.value
      recorder.record("bound: heard")
    }
    async let report = shop.run()
    await recorder.wait(for: "ready")
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(
      recorder.events == ["ready", "inherits: true, in web", "detached: false, in no phase", "bound: heard"])
  }

  @Test("Trap 15: a handler does not see the task-local values of whoever asked for the stop")
  func askersValues() async {
    let recorder = recorder
    shop.phase("web") { phase in
      phase.ready()
      await withGracefulShutdownHandler {
        recorder.record("ready")
        await recorder.sees("handler, asked by nobody")
      } onGracefulShutdown: {
        recorder.record("handler, asked by \(Self.asker)")
      }
    }
    async let report = shop.run()
    await recorder.wait(for: "ready")
    Self.$asker.withValue("somebody") { shop.requestStop() }
    #expect(await report.exitCode == 0)
    #expect(recorder.events == ["ready", "handler, asked by nobody"])
  }

  @Test("Trap 13: a service runs and drains at medium priority, although run() was called at background priority")
  func priority() async {
    let recorder = recorder
    shop.phase(
      "web",
      service: ScriptedService(
        name: "web", recorder: recorder,
        work: {
          recorder.record("runs at \(Task.currentPriority)")
          await ScriptedService.untilTold()
          recorder.record("drains at \(Task.currentPriority)")
          shop.requestStop()
        }))
    // As a group's service, too: a group passes its caller's priority on to all its services.
    let running = Task.detached(priority: .background) {
      let group = ServiceGroup(services: [shop.service()], logger: .silent)
      await withTaskGroup { tasks in
        tasks.addTask { try? await group.run() }
        await recorder.wait(for: "web: started")
        await group.triggerGracefulShutdown()
      }
    }
    #expect(await eventually { recorder.events.contains("web: ended") })
    await running.value
    #expect(recorder.saw(inOrder: "runs at \(TaskPriority.medium)", "drains at \(TaskPriority.medium)"))
  }
}
