import GracefulShutdown
import GracefulTesting
import Testing

/// "No limit", as many say it: sums of instants must not overflow.
@Suite("Durations that are too long", .timeLimit(.minutes(1)))
struct HugeDurationTests {
  private let clock = ManualClock()

  /// What `.seconds` takes at most, and more than what `components` can say.
  static let huge: [Duration] = [.seconds(Int64.max), .seconds(Int64.max) * 15, .seconds(1e15)]

  @Test("as grace, limit, start limit and limit of a child are 100 years", arguments: huge)
  func everywhere(huge: Duration) async {
    let clock = clock
    let shop = Lifecycle("shop", grace: huge, logger: .silent)
    #expect(shop.grace <= .seconds(100 * 366 * 86_400))
    shop.phase("web", startLimit: huge, limit: huge) { phase in
      phase.ready()
      try await phase.withPhase("import", limit: huge) { child in
        clock.recorder.record("import: open")
        await child.turnToStop()
        #expect(child.deadline.map { $0 > clock.time } == true)
        clock.recorder.record("import: turn")
        await clock.pause(for: huge, recording: "import: hangs")
      }
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "import: open")
    clock.advance(by: .seconds(86_400 * 365))
    shop.requestStop()
    #expect(shop.snapshot().left.map { $0 > .seconds(1) } == true)
    await clock.recorder.wait(for: "import: hangs")
    #expect(!clock.recorder.events.contains("import: cancelled"))
    // Also the end of such a time can be reached.
    clock.advance(by: huge)
    let text = await report.text
    #expect(text.contains("shop: ran 525600 min 0 s"), "\(text)")
  }

  @Test("of quiet wait as long as anybody will", arguments: huge)
  func quiet(huge: Duration) async {
    let clock = clock
    let shop = Lifecycle("shop", logger: .silent)
    shop.phase("web") { phase in
      phase.ready()
      let waits = Task {
        clock.recorder.record("waits")
        await phase.quiet(for: huge)
      }
      await phase.quiet(for: .zero - huge)
      await phase.turnToStop()
      waits.cancel()
      await waits.value
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "waits")
    clock.advance(by: .seconds(86_400 * 365))
    shop.requestStop()
    #expect(await report.exitCode == 0)
  }

  @Test(
    "A child with a limit of zero or less is cancelled as soon as it is told to drain", arguments: [0, -1, Int64.min])
  func childLimit(seconds: Int64) async {
    let clock = clock
    let shop = Lifecycle("shop", logger: .silent)
    shop.phase("web") { phase in
      phase.ready()
      try? await phase.withPhase("import", limit: .seconds(seconds)) { _ in
        clock.recorder.record("import: open")
        for await _ in AsyncStream<Never>.makeStream().stream {}
      }
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "import: open")
    shop.requestStop()
    #expect(await report.took == .zero)
    #expect(await report.phases.map(\.end) == [.drained, .cancelled])
  }

  @Test("A grace of a nanosecond is a grace: everything is cut, and the report is there")
  func tinyGrace() async {
    let shop = Lifecycle("shop", grace: .nanoseconds(1), logger: .silent)
    let database = shop.phase("database", script: .ignoresCancel, on: clock)
    shop.phase("web", requires: database, script: .ignoresCancel, on: clock)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    shop.requestStop()
    clock.advance(by: .nanoseconds(1))
    #expect(await report.phases.map(\.end) == [.abandoned, .abandoned])
  }
}
