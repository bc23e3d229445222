import Graceful
import GracefulShutdown
import GracefulTesting
import Testing

@Suite("A farewell", .timeLimit(.minutes(1)))
struct FarewellTests {
  private func farewells(_ ladder: ManualLadder) -> [Farewell] {
    [
      Farewell(.last) { ladder.recorder.record("last \($0.exitCode)") },
      Farewell(.withReport) { ladder.recorder.record("with the report \($0.exitCode)") },
    ]
  }

  @Test("is said once, before the exit, and the last one last")
  func exiting() async {
    let ladder = ManualLadder()
    let lifecycle = Lifecycle("shop")
    lifecycle.phase("web") { phase in
      phase.ready()
      await phase.turnToStop()
    }
    lifecycle.requestStop()
    _ = await lifecycle.run(in: ladder, exiting: true, farewells: farewells(ladder))
    #expect(ladder.recorder.events.suffix(3) == ["with the report 0", "last 0", "exit 0"])
    #expect(ladder.recorder.events.count { $0.hasPrefix("last") } == 1)
  }

  @Test("is said where the process goes on, too, when run() returns")
  func returning() async {
    let ladder = ManualLadder()
    let lifecycle = Lifecycle("shop")
    lifecycle.phase("web") { _ in throw CutShort("gone") }
    let report = await lifecycle.run(in: ladder, farewells: farewells(ladder))
    #expect(report.exitCode == 1)
    #expect(ladder.recorder.events == ["with the report 1", "last 1"])
    _ = await lifecycle.run(in: ladder, farewells: [Farewell(.last) { _ in ladder.recorder.record("later") }])
    #expect(ladder.recorder.events.count == 3)
    #expect(ladder.recorder.events.last == "later", "whoever listens since knows it, too")
  }

  @Test("is said on a forced exit, too")
  func forced() async {
    let ladder = ManualLadder()
    let lifecycle = Lifecycle("shop", grace: .seconds(4))
    lifecycle.phase("web") { phase in
      phase.ready()
      ladder.recorder.record("started")
      // It obeys nothing.
      await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
    }
    let run = Task { await lifecycle.run(in: ladder, exiting: true, farewells: farewells(ladder)) }
    await ladder.recorder.wait(for: "started")
    lifecycle.requestStop()
    while ladder.advanceToNext() {}
    #expect(ladder.recorder.events.contains("last 124"))
    #expect(ladder.exits.first?.code == 124)
    _ = await run.value
  }

  @Test("S14: is said, and the report is written, before a third signal ends the process that is about to end")
  func thirdSignalMeanwhile() async {
    let ladder = ManualLadder()
    let lifecycle = Lifecycle("shop")
    lifecycle.phase("web") { phase in
      phase.ready()
      await phase.turnToStop()
    }
    let slow = Farewell(.withReport) { _ in
      ladder.recorder.record("writes")
      // So that it is met here.
      ladder.wait(atMost: .milliseconds(300)) { !ladder.exits.isEmpty }
      ladder.recorder.record("has written")
    }
    lifecycle.requestStop(StopRequest(source: .signal(15)))
    let run = Task { await lifecycle.run(in: ladder, exiting: true, farewells: [slow]) }
    await ladder.recorder.wait(for: "writes")
    for _ in 0..<2 { lifecycle.requestStop(StopRequest(source: .signal(15))) }
    // The third has left, too: an exit that hangs would not keep it.
    #expect(ladder.exits.contains(.init(code: 0, atOnce: true)))
    #expect(ladder.recorder.saw(inOrder: "has written", "exit 0"))
    #expect(ladder.reports.count == 1)
    _ = await run.value
  }
}
