import GracefulShutdown
import GracefulTesting
import Testing

@Suite("A phase", .timeLimit(.minutes(1)))
struct PhaseTests {
  private let clock = ManualClock()
  private let shop = Lifecycle("shop", grace: .seconds(20))

  @Test("S3: hears at once, long before its turn; its deadline is that of the whole, then its own")
  func hearing() async {
    let clock = clock
    let start = clock.time
    let database = shop.phase("database", limit: .seconds(4)) { phase in
      #expect(phase.deadline == nil)
      #expect(!phase.isStopRequested)
      phase.ready()
      await phase.stopRequested()
      #expect(phase.isStopRequested)
      #expect(phase.deadline == start + .seconds(17))
      clock.recorder.record("database heard")
      await phase.turnToStop()
      #expect(phase.deadline == start + .seconds(14))
    }
    shop.phase("web", requires: database) { phase in
      phase.ready()
      clock.recorder.record("web: ready")
      await phase.turnToStop()
      await clock.pause(for: .seconds(10), recording: "web drains")
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    shop.requestStop()
    await clock.recorder.wait(for: "web drains")
    await clock.recorder.wait(for: "database heard")
    clock.advance(by: .seconds(10))
    #expect(await report.exitCode == 0)
  }

  @Test("A wait for the turn ends when the task that waits is cancelled, before or after it began to wait")
  func cancelledWait() async {
    let clock = clock
    shop.phase("web") { phase in
      phase.ready()
      let early = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        await phase.turnToStop()
        await phase.stopRequested()
      }
      await early.value
      let late = Task {
        clock.recorder.record("waits")
        await phase.turnToStop()
      }
      await clock.recorder.wait(for: "waits")
      late.cancel()
      await late.value
      clock.recorder.record("both returned")
      await phase.turnToStop()
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "both returned")
    shop.requestStop()
    #expect(await report.exitCode == 0)
  }

  @Test("ready() twice, or after the end, is ignored and noted")
  func readyTwice() async {
    let clock = clock
    shop.phase("web") { phase in
      phase.ready()
      phase.ready()
      clock.recorder.record("web: ready")
      await phase.turnToStop()
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    shop.requestStop()
    #expect(await report.ignored == ["web became ready twice"])
  }

  @Test("A stop that a phase itself asks for is a stop like any other")
  func stopFromInside() async {
    let shop = shop
    shop.phase("web") { phase in
      shop.requestStop(StopRequest(why: "nothing left to do"))
      #expect(phase.isStopRequested)
      await phase.turnToStop()
    }
    let report = await shop.run(on: clock)
    #expect(report.request?.why == "nothing left to do")
    #expect(report.phases.map(\.end) == [.drained])
  }

  @Test("A phase that drains is not cancelled meanwhile: what it awaits works as ever (trap 20)")
  func notCancelled() async {
    let clock = clock
    shop.phase("web") { phase in
      phase.ready()
      clock.recorder.record("web: ready")
      await phase.turnToStop()
      #expect(!Task.isCancelled)
      try Task.checkCancellation()
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    shop.requestStop()
    #expect(await report.exitCode == 0)
  }

  /// Each time the stop comes at another moment of the start; what had begun is unwound in order, whatever that was.
  @Test("S10: a stop at any moment of the start of twelve phases unwinds in order", arguments: 0..<100)
  func stopAnywhere(round: Int) async {
    let clock = ManualClock()
    let shop = Lifecycle("shop", grace: .seconds(20))
    for id in 0..<12 {
      // Each requires the one three before it and the one before that: four strands that are tied together.
      let requires = [id - 3, id - 4].filter { $0 >= 0 }.map { PhaseHandle("\($0)") }
      shop.phase("\(id)", requires: requires) { phase in
        clock.recorder.record("\(id) began")
        phase.ready()
        await phase.turnToStop()
        clock.recorder.record("\(id) ended")
      }
    }
    let stop = Task.detached {
      if round % 12 > 0 { await clock.recorder.wait(for: "\(round % 12) began") }
      shop.requestStop()
    }
    let report = await shop.run(on: clock)
    await stop.value
    #expect(report.exitCode == 0)
    let events = clock.recorder.events
    for id in 0..<12 where events.contains("\(id) began") {
      for dependent in [id + 3, id + 4] where events.contains("\(dependent) began") {
        #expect(clock.recorder.saw(inOrder: "\(id) began", "\(dependent) began", "\(dependent) ended", "\(id) ended"))
      }
    }
    #expect(report.phases.allSatisfy { $0.end == .drained || $0.end == .neverStarted })
    #expect(report.phases.filter { $0.end == .drained }.count == events.count / 2)
  }
}
