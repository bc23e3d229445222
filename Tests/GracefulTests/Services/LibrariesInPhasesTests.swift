import Graceful
import GracefulTesting
import ServiceLifecycle
import Testing

/// What libraries call that were written for swift-service-lifecycle, in a phase that is a closure.
@Suite("A library written for swift-service-lifecycle, in a phase", .timeLimit(.minutes(1)))
struct LibrariesInPhasesTests {
  private let recorder = Recorder()
  private let shop = Lifecycle("shop", grace: .seconds(30), logger: .silent)

  @Test("does not hear the stop when everybody does, but when the turn of its phase has come")
  func turn() async {
    let recorder = recorder
    let database = shop.phase("database") { phase in
      phase.ready()
      try await withGracefulShutdownHandler {
        await phase.stopRequested()
        recorder.record("database: heard, flag \(Task.isShuttingDownGracefully)")
        try await gracefulShutdown()
        recorder.record("database: flag \(Task.isShuttingDownGracefully)")
      } onGracefulShutdown: {
        recorder.record("database: handler")
      }
    }
    shop.phase("web", requires: database) { phase in
      phase.ready()
      recorder.record("web: ready")
      try await gracefulShutdown()
      await recorder.sees("database: heard, flag false")
      recorder.record("web: ended")
    }
    async let report = shop.run()
    await recorder.wait(for: "web: ready")
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(
      recorder.events == [
        "web: ready", "database: heard, flag false", "web: ended", "database: handler", "database: flag true",
      ])
  }

  @Test("has its operation cancelled by cancelWhenGracefulShutdown at the turn, and the phase goes on uncancelled")
  func cancelWhenTold() async {
    let recorder = recorder
    shop.phase("web") { phase in
      phase.ready()
      await cancelWhenGracefulShutdown {
        recorder.record("web: working")
        await ScriptedService.untilCancelled()
      }
      recorder.record("web: cancelled \(Task.isCancelled)")
    }
    async let report = shop.run()
    await recorder.wait(for: "web: working")
    shop.requestStop()
    #expect(await report.phases.map(\.end) == [.drained])
    #expect(recorder.events == ["web: working", "web: cancelled false"])
  }

  @Test("ends a sequence by cancelOnGracefulShutdown at the turn")
  func sequence() async {
    let recorder = recorder
    shop.phase("web") { phase in
      phase.ready()
      recorder.record("web: working")
      for await _ in AsyncStream<Int>.makeStream().stream.cancelOnGracefulShutdown() {}
    }
    async let report = shop.run()
    await recorder.wait(for: "web: working")
    shop.requestStop()
    #expect(await report.phases.map(\.end) == [.drained])
  }

  @Test("in a child phase hears the drain of its parent, also in the same task's sessions, and ends before its turn")
  func childPhase() async {
    let recorder = recorder
    shop.phase("web") { phase in
      phase.ready()
      async let imported: Void = withPhase("import") { _ in
        try await withSession {
          recorder.record("import: open")
          try await gracefulShutdown()
          recorder.record("import: told")
        }
      }
      await phase.turnToStop()
      recorder.record("web: turn")
      try await imported
    }
    async let report = shop.run()
    await recorder.wait(for: "import: open")
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(recorder.events == ["import: open", "import: told", "web: turn"])
  }

  @Test("in a child phase that is stopped alone hears that, and its parent does not")
  func childAlone() async {
    let recorder = recorder
    shop.phase("web") { phase in
      phase.ready()
      try await withPhase("import") { child in
        child.requestStop()
        try await gracefulShutdown()
        recorder.record("import: told \(Task.isShuttingDownGracefully)")
      }
      recorder.record("web: told \(Task.isShuttingDownGracefully)")
      shop.requestStop()
      try await gracefulShutdown()
      recorder.record("web: told \(Task.isShuttingDownGracefully)")
    }
    #expect(await shop.run().exitCode == 0)
    #expect(recorder.events == ["import: told true", "web: told false", "web: told true"])
  }

  @Test("in a phase that ends by itself hears nothing afterwards, whatever is left over of it")
  func leftOver() async {
    let recorder = recorder
    shop.phase("web") { phase in
      phase.ready()
      try await withPhase("short") { _ in
        // Unstructured: it outlives the phase that it came from.
        Task {
          await withGracefulShutdownHandler {
            recorder.record("left over: waits")
            await recorder.sees("web: turn")
            recorder.record("left over: told \(Task.isShuttingDownGracefully)")
          } onGracefulShutdown: {
            recorder.record("left over: handler")
          }
        }
        await recorder.sees("left over: waits")
      }
      shop.requestStop()
      await phase.turnToStop()
      recorder.record("web: turn")
      await recorder.sees("left over: told false")
    }
    #expect(await shop.run().exitCode == 0)
    #expect(recorder.events == ["left over: waits", "web: turn", "left over: told false"])
  }
}
