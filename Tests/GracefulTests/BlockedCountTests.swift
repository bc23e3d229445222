import CGracefulSystem
import GracefulShutdown
import GracefulTesting
import Synchronization
import TestHost
import Testing

@testable import Graceful

/// Code of the user that is asked for a number, and does not come back.
@Suite("T5: A count of arrivals that blocks", .timeLimit(.minutes(1)))
struct BlockedCountTests {
  @Test("holds up neither a deadline nor the stop: the lame-duck time lasts as long as it may, and the phase drains")
  func blocks() async {
    let clock = ManualClock()
    let shop = Lifecycle(
      "shop", grace: .seconds(20), lameDuck: .atMost(.seconds(5), minimum: .seconds(1), quiet: .seconds(1)))
    let (isAsked, isOver) = (Flag(), Flag())
    defer { isOver.raise() }
    shop.phase("web") { phase in
      phase.countArrivals {
        isAsked.raise()
        while !isOver.isRaised { _ = cgs_poll(nil, 0, 1) }
        return 0
      }
      phase.ready()
      clock.recorder.record("ready")
      await phase.turnToStop()
    }
    let run = Task { await shop.run(on: clock) }
    await clock.recorder.wait(for: "ready")
    shop.requestStop()
    clock.advance(by: .milliseconds(500))
    #expect(await eventually { isAsked.isRaised })
    clock.advance(by: .milliseconds(4500))
    let report = await run.value
    #expect(report.lameDuck?.end == .limit)
    #expect(report.exitCode == 0)
  }

  private final class Flag: Sendable {
    private let value = Atomic(false)
    var isRaised: Bool { value.load(ordering: .acquiring) }
    func raise() { value.store(true, ordering: .releasing) }
  }
}
