import Graceful
import GracefulTesting
import ServiceLifecycle
import Testing

/// What libraries call that were written for swift-service-lifecycle, in a phase that is a closure.
@Suite("A library written for swift-service-lifecycle, in a phase", .timeLimit(.minutes(1)))
struct LibrariesInPhasesTests {
  private let recorder = Recorder()
  private let shop = Lifecycle("shop", grace: .seconds(30))

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
}
