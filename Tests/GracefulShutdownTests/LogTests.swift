import Dispatch
import GracefulShutdown
import GracefulTesting
import Logging
import Synchronization
import Testing

@Suite("The log of a lifecycle", .timeLimit(.minutes(1)))
struct LogTests {
  /// Keeps what it is given.
  private struct Handler: LogHandler {
    final class Lines: Sendable {
      let lines = Mutex<[String]>([])
    }

    let kept = Lines()
    var logLevel = Logger.Level.trace
    var metadata: Logger.Metadata = [:]
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let all = metadata.merging(event.metadata ?? [:]) { $1 }
      let pairs = all.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      kept.lines.withLock { $0.append("\(event.level) \(event.message) \(pairs.joined(separator: " "))") }
    }
  }

  @Test("names the lifecycle and the phase in stable metadata")
  func metadata() async {
    let handler = Handler()
    let clock = ManualClock()
    let shop = Lifecycle("shop", logger: Logger(label: "test") { _ in handler })
    shop.phase("web", script: .obedient, on: clock)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    shop.requestStop(StopRequest(why: "deploy"))
    _ = await report
    let lines = handler.kept.lines.withLock { $0 }
    for line in [
      "info phase starts lifecycle.name=shop phase.name=web",
      "info phase is ready lifecycle.name=shop phase.name=web",
      "notice stop requested lifecycle.name=shop stop.who=the program stop.why=deploy",
      "debug phase is told to drain lifecycle.name=shop phase.name=web",
      "info phase ended lifecycle.name=shop phase.end=drained phase.name=web",
    ] {
      #expect(lines.contains(line), "\(line) in \(lines)")
    }
    #expect(lines.last?.contains("1 drained; exit 0: clean") == true)
  }

  @Test("says once that a phase is ready, when it is: not when it says so again, nor after its end")
  func ready() async {
    let handler = Handler()
    let shop = Lifecycle("shop", logger: Logger(label: "test") { _ in handler })
    let web = Mutex<Phase?>(nil)
    let database = shop.phase("database") { phase in
      phase.ready()
      await phase.turnToStop()
      web.withLock { $0 }?.ready()
    }
    shop.phase("web", requires: database) { [shop] phase in
      web.withLock { $0 = phase }
      phase.ready()
      phase.ready()
      shop.requestStop()
    }
    let report = await shop.run(on: ManualClock())
    let ready = handler.kept.lines.withLock { $0.filter { $0.contains("phase is ready") } }
    #expect(ready.map { $0.suffix(3) } == ["ase", "web"])
    #expect(report.ignored == ["web became ready twice", "web became ready after its end"])
  }
}

/// A handler that never returns from its second entry on.
private struct BlockedHandler: LogHandler {
  let recorder: Recorder
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info

  init(_ recorder: Recorder) { self.recorder = recorder }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    recorder.record("log")
    let never = DispatchSemaphore(value: 0)
    never.wait()
  }
}

@Suite("A log handler that blocks", .timeLimit(.minutes(1)))
struct BlockedLogTests {
  @Test("holds up the report no longer than a part of what is reserved for it")
  func blocked() async {
    let clock = ManualClock()
    let shop = Lifecycle(
      "shop", grace: .seconds(20),
      logger: Logger(label: "blocked") { _ in
        BlockedHandler(clock.recorder)
      })
    shop.phase("web", script: .obedient, on: clock)
    let task = Task { await shop.run(on: clock) }
    await clock.recorder.wait(for: "log")
    await clock.recorder.wait(for: "web: ready")
    shop.requestStop()
    await clock.recorder.wait(for: "web: ended")
    // The flush asks for its wake-up a moment after the end: time passes until the report is there.
    let over = Task {
      while !Task.isCancelled {
        clock.advance(by: .milliseconds(500))
        await Task.yield()
      }
    }
    #expect(await task.value.exitCode == 0)
    over.cancel()
  }
}
