import CThreadSanitizer
import GracefulShutdown
import GracefulTesting
import Synchronization
import Testing

/// A service that fails again and again, from its first run to the end of the lifecycle.
@Suite("A crash loop", .timeLimit(.minutes(4)))
struct CrashLoopTests {
  @Test("restarts as the policy's arithmetic says, then gives up; here is the table", arguments: [0, 0.2])
  func table(jitter: Double) async {
    let (clock, shop) = (ManualClock(), Lifecycle("shop", grace: .seconds(20), logger: .silent))
    var policy = RestartPolicy.onFailure(intensity: 12)
    policy.jitter = jitter
    shop.phase("consumer", restart: policy, script: .fails(.max, "lost"), on: clock)
    let events = shop.events
    async let ending = shop.run(on: clock)
    for await event in events {
      if event.kind == .restarting { clock.advanceToNext() }
      if event.kind == .finished { break }
    }
    let report = await ending
    #expect(report.exitCode == 1)
    #expect(report.phases[0].restarted == 12)
    let restarts = report.phases[0].restarts
    #expect(restarts.count == 13)
    #expect(restarts.last?.delay == nil)
    var at = Duration.zero
    print("restart       at   delay  100 ms × 2ⁿ, 30 s at most")
    for (number, restart) in restarts.enumerated() {
      // It fails at the end of each delay, and never runs for so long that anything is forgotten.
      let expected = min(.milliseconds(100) * (1 << number), Duration.seconds(30))
      #expect(abs((restart.after - at) / .seconds(1)) < 1e-9)
      if let delay = restart.delay {
        #expect(delay >= expected * (1 - jitter) && delay <= expected * (1 + jitter))
        at += delay
      }
      let words = [restart.after.brief, restart.delay?.brief ?? "gave up", restart.delay == nil ? "" : expected.brief]
      print(
        ([number + 1].map(String.init) + words).map { String(repeating: " ", count: max(9 - $0.count, 0)) + $0 }
          .joined())
    }
    if jitter > 0 { #expect(Set(restarts.compactMap(\.delay)).count > 6) }
  }

  @Test("Of twenty thousand runs nothing is left but the last one, and a bounded history")
  func memory() async {
    final class Seen: Sendable {
      private struct Reference { weak var phase: Phase? }
      private let phases = Mutex<[Reference]>([])
      func add(_ phase: Phase) { phases.withLock { $0.append(Reference(phase: phase)) } }
      var alive: Int { phases.withLock { $0.count { $0.phase != nil } } }
      var count: Int { phases.withLock { $0.count } }
    }
    let (clock, shop, seen) = (ManualClock(), Lifecycle("shop", grace: .seconds(20), logger: .silent), Seen())
    var policy = RestartPolicy.always()
    policy.firstDelay = .zero
    policy.window = .zero
    shop.phase("consumer", restart: policy) { phase in
      seen.add(phase)
      phase.ready()
      // Something of each run that would stay: a handler, a named session.
      try await phase.withHandler(at: .drain) {
      } operation: {
        try await phase.withSession("work") {}
      }
    }
    async let report = shop.run(on: clock)
    // With the thread sanitizer a tenth: it is slow, and looks for something else.
    while seen.count < (cts_is_watching() ? 2000 : 20_000) {
      clock.advanceToNext()
      await Task.yield()
    }
    #expect(seen.alive <= 8)
    shop.requestStop()
    #expect(await report.phases[0].restarts.count == 64)
    #expect(await report.phases[0].sessions?.admitted == seen.count)
    #expect(await report.exitCode == 0)
  }
}
