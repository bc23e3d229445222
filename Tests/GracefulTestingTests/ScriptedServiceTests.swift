import Graceful
import GracefulTesting
import Logging
import ServiceLifecycle
import Testing

/// Each script does what it says, as a phase with manual time, and in a group of swift-service-lifecycle.
@Suite("A scripted service", .timeLimit(.minutes(1)))
struct ScriptedServiceTests {
  private let clock = ManualClock()
  private let shop = Lifecycle("shop", grace: .seconds(20))

  private func end(
    of script: ScriptedService.Script, then: (ManualClock) async -> Void = { _ in }
  ) async -> LifecycleReport {
    shop.phase("web", service: ScriptedService("web", script, on: clock))
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: started")
    shop.requestStop()
    await clock.recorder.wait(for: "web: told")
    await then(clock)
    return await report
  }

  @Test("that is obedient")
  func obedient() async {
    #expect(await end(of: .obedient).phases.map(\.end) == [.drained])
    #expect(clock.recorder.events == ["web: started", "web: told", "web: ended"])
  }

  @Test("that fails at its start, and one that returns by itself")
  func bySelf() async {
    shop.phase("web", service: ScriptedService("web", .failsAtStart("no port"), on: clock))
    #expect(await shop.run(on: clock).phases.map(\.end) == [.failed("no port")])

    let other = Lifecycle("other")
    other.phase("job", service: ScriptedService("job", .returnsByItself(after: .seconds(3)), on: clock))
    async let report = other.run(on: clock)
    await clock.recorder.wait(for: "job: running")
    clock.advance(by: .seconds(3))
    #expect(await report.phases.map(\.end) == [.endedByItself])
  }

  @Test("that throws while draining, and one that is slow")
  func draining() async {
    #expect(await end(of: .throwsWhileDraining("disk full")).phases.map(\.end) == [.failed("disk full")])

    let other = Lifecycle("other")
    other.phase("slow", service: ScriptedService("slow", .slow(.seconds(3)), on: clock))
    async let report = other.run(on: clock)
    await clock.recorder.wait(for: "slow: started")
    other.requestStop()
    await clock.recorder.wait(for: "slow: drains")
    clock.advance(by: .seconds(3))
    #expect(await report.phases.map(\.end) == [.drained])
    #expect(await report.took == .seconds(3))
  }

  @Test("that ends only when it is cancelled")
  func ignoresDrain() async {
    let report = await end(of: .ignoresDrain) { $0.advance(by: .seconds(17)) }
    #expect(report.phases.map(\.end) == [.cancelled])
    #expect(clock.recorder.saw(inOrder: "web: told", "web: cancelled", "web: ended"))
  }

  @Test("that never ends")
  func ignoresCancel() async {
    let report = await end(of: .ignoresCancel) { $0.advance(by: .seconds(19)) }
    #expect(report.phases.map(\.end) == [.abandoned])
    #expect(!clock.recorder.events.contains("web: ended"))
  }

  @Test("does the same in a group of swift-service-lifecycle")
  func inGroup() async throws {
    let clock = clock
    let logger = Logger(label: "silent") { _ in SwiftLogNoOpLogHandler() }
    let group = ServiceGroup(services: [ScriptedService("web", on: clock)], logger: logger)
    async let running: Void = group.run()
    await clock.recorder.wait(for: "web: started")
    await group.triggerGracefulShutdown()
    try await running
    #expect(clock.recorder.events == ["web: started", "web: told", "web: ended"])
  }
}
