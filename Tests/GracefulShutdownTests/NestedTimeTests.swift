import GracefulShutdown
import GracefulTesting
import Testing

/// What is opened inside each other shares the time that is left when the time to drain is over.
@Suite("The time of phases inside each other", .timeLimit(.minutes(1)))
struct NestedTimeTests {
  private let clock = ManualClock()
  private let shop = Lifecycle("shop", grace: .seconds(20), logger: .silent)

  @Test("A child that ends when it is cancelled is cancelled, not abandoned, although its drain ends with its parent's")
  func sameInstant() async {
    let clock = clock
    shop.phase("web") { phase in
      phase.ready()
      try await withPhase("import") { _ in
        clock.recorder.record("import: open")
        for await _ in AsyncStream<Never>.makeStream().stream {}
        clock.recorder.record("import: cancelled")
      }
      clock.recorder.record("web: cleaned up")
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "import: open")
    shop.requestStop()
    clock.advance(by: .seconds(17))
    #expect(await report.phases.map(\.end) == [.cancelled, .cancelled])
    #expect(clock.recorder.saw(inOrder: "import: cancelled", "web: cleaned up"))
  }

  @Test("Each of those inside each other has an equal share, the innermost the first, and nobody is given up before it")
  func equalShares() {
    let start = MonotonicInstant.now
    var machine = LifecycleStateMachine(name: "test", grace: .seconds(20), graph: PhaseGraph([.init("web")]))
    _ = machine.receive(.run, at: start)
    _ = machine.receive(.ready(0), at: start)
    for id in 1...3 { _ = machine.receive(.opened(.init(id: id, parent: id - 1, name: "child")), at: start) }
    _ = machine.receive(.stop(StopRequest()), at: start)
    _ = machine.receive(.emptied(3), at: start)
    // Two seconds for four: the innermost is cancelled first, and each in turn half a second later.
    let first = machine.receive(.wake, at: start + .seconds(17))
    #expect(first.contains(.cut(0)) && first.contains(.cut(1)) && first.contains(.cut(2)))
    #expect(first.contains(.cancel(3, deadline: start + .milliseconds(17_500))))
    for (step, id) in [2, 1, 0].enumerated() {
      let now = start + .milliseconds(17_500 + 500 * step)
      let actions = machine.receive(.wake, at: now)
      #expect(actions.contains(.abandon(id + 1)), "\(actions)")
      #expect(actions.contains(.cancel(id, deadline: now + .milliseconds(500))), "\(actions)")
    }
    let last = machine.receive(.wake, at: start + .seconds(19))
    #expect(last.contains(.abandon(0)))
  }

  @Test("Those inside a phase whose body has come back have all of its time")
  func withoutBody() async {
    let clock = clock
    shop.phase("web") { phase in
      phase.ready()
      Task {
        try await withPhase("import") { child in
          clock.recorder.record("import: open")
          await child.turnToStop()
          await clock.pause(for: .milliseconds(18_900), recording: "import: works")
        }
      }
      await phase.stopRequested()
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "import: open")
    shop.requestStop()
    await clock.recorder.wait(for: "import: works")
    clock.advance(by: .milliseconds(18_900))
    #expect(await report.phases.map(\.end) == [.cancelled, .cancelled])
  }
}
