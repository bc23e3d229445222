import Graceful
import GracefulShutdown
import GracefulTesting
import Testing

@Suite("An exit hook", .timeLimit(.minutes(1)))
struct ExitHookTests {
  private func exitHooks(_ clock: ManualClock) -> [ExitHook] {
    [
      ExitHook(.last) { clock.recorder.record("last \($0.exitCode)") },
      ExitHook(.withReport) { clock.recorder.record("with the report \($0.exitCode)") },
    ]
  }

  @Test("is said once, before the exit, and the last one last")
  func exiting() async {
    let clock = ManualClock()
    let lifecycle = Lifecycle("shop")
    lifecycle.phase("web") { phase in
      phase.ready()
      await phase.turnToStop()
    }
    lifecycle.requestStop()
    _ = await lifecycle.run(in: clock, exiting: true, exitHooks: exitHooks(clock))
    #expect(clock.recorder.events.suffix(3) == ["with the report 0", "last 0", "exit 0"])
    #expect(clock.recorder.events.count { $0.hasPrefix("last") } == 1)
  }

  @Test("is said where the process goes on, too, when run() returns")
  func returning() async {
    let clock = ManualClock()
    let lifecycle = Lifecycle("shop")
    lifecycle.phase("web") { _ in throw CutShort("gone") }
    let report = await lifecycle.run(in: clock, exitHooks: exitHooks(clock))
    #expect(report.exitCode == 1)
    #expect(clock.recorder.events == ["with the report 1", "last 1"])
    _ = await lifecycle.run(in: clock, exitHooks: [ExitHook(.last) { _ in clock.recorder.record("later") }])
    #expect(clock.recorder.events.count == 3)
    #expect(clock.recorder.events.last == "later", "whoever listens since knows it, too")
  }

  @Test("is said on a forced exit, too")
  func forced() async {
    let clock = ManualClock()
    let lifecycle = Lifecycle("shop", grace: .seconds(4))
    lifecycle.phase("web") { phase in
      phase.ready()
      clock.recorder.record("started")
      // It obeys nothing.
      await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
    }
    let run = Task { await lifecycle.run(in: clock, exiting: true, exitHooks: exitHooks(clock)) }
    await clock.recorder.wait(for: "started")
    lifecycle.requestStop()
    while clock.advanceToNext() {}
    #expect(clock.recorder.events.contains("last 124"))
    #expect(clock.exits.first?.code == 124)
    _ = await run.value
  }

  @Test("S14: is said, and the report is written, before a third signal ends the process that is about to end")
  func thirdSignalMeanwhile() async {
    let clock = ManualClock()
    let lifecycle = Lifecycle("shop")
    lifecycle.phase("web") { phase in
      phase.ready()
      await phase.turnToStop()
    }
    let slow = ExitHook(.withReport) { _ in
      clock.recorder.record("writes")
      // So that it is met here.
      clock.wait(atMost: .milliseconds(300)) { !clock.exits.isEmpty }
      clock.recorder.record("has written")
    }
    lifecycle.requestStop(StopRequest(source: .signal(15)))
    let run = Task { await lifecycle.run(in: clock, exiting: true, exitHooks: [slow]) }
    await clock.recorder.wait(for: "writes")
    for _ in 0..<2 { lifecycle.requestStop(StopRequest(source: .signal(15))) }
    // The third has left, too: an exit that hangs would not keep it.
    #expect(clock.exits.contains(.init(code: 0, atOnce: true)))
    #expect(clock.recorder.saw(inOrder: "has written", "exit 0"))
    #expect(clock.reports.count == 1)
    _ = await run.value
  }
}
