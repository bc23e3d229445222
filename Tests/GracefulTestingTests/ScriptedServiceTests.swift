import Graceful
import GracefulTesting
import Logging
import ServiceLifecycle
import Testing

/// Each script does what it says, as a phase with manual time, and in a group of swift-service-lifecycle.
@Suite("A scripted service", .timeLimit(.minutes(1)))
struct ScriptedServiceTests {
  private let ladder = ManualLadder()
  private let shop = Lifecycle("shop", grace: .seconds(20))

  private func end(
    of script: ScriptedService.Script, then: (ManualLadder) async -> Void = { _ in }
  ) async -> LifecycleReport {
    shop.phase("web", service: ScriptedService("web", script, on: ladder))
    async let report = shop.run(on: ladder)
    await ladder.recorder.wait(for: "web: started")
    shop.requestStop()
    await ladder.recorder.wait(for: "web: told")
    await then(ladder)
    return await report
  }

  @Test("that is obedient")
  func obedient() async {
    #expect(await end(of: .obedient).phases.map(\.end) == [.drained])
    #expect(ladder.recorder.events == ["web: started", "web: told", "web: ended"])
  }

  @Test("that fails at its start, and one that returns by itself")
  func bySelf() async {
    shop.phase("web", service: ScriptedService("web", .failsAtStart("no port"), on: ladder))
    #expect(await shop.run(on: ladder).phases.map(\.end) == [.failed("no port")])

    let other = Lifecycle("other")
    other.phase("job", service: ScriptedService("job", .returnsByItself(after: .seconds(3)), on: ladder))
    async let report = other.run(on: ladder)
    await ladder.recorder.wait(for: "job: running")
    ladder.advance(by: .seconds(3))
    #expect(await report.phases.map(\.end) == [.endedByItself])
  }

  @Test("that throws while draining, and one that is slow")
  func draining() async {
    #expect(await end(of: .throwsWhileDraining("disk full")).phases.map(\.end) == [.failed("disk full")])

    let other = Lifecycle("other")
    other.phase("slow", service: ScriptedService("slow", .slow(.seconds(3)), on: ladder))
    async let report = other.run(on: ladder)
    await ladder.recorder.wait(for: "slow: started")
    other.requestStop()
    await ladder.recorder.wait(for: "slow: drains")
    ladder.advance(by: .seconds(3))
    #expect(await report.phases.map(\.end) == [.drained])
    #expect(await report.took == .seconds(3))
  }

  @Test("that ends only when it is cancelled")
  func ignoresDrain() async {
    let report = await end(of: .ignoresDrain) { $0.advance(by: .seconds(17)) }
    #expect(report.phases.map(\.end) == [.cancelled])
    #expect(ladder.recorder.saw(inOrder: "web: told", "web: cancelled", "web: ended"))
  }

  @Test("that never ends")
  func ignoresCancel() async {
    let report = await end(of: .ignoresCancel) { $0.advance(by: .seconds(19)) }
    #expect(report.phases.map(\.end) == [.abandoned])
    #expect(!ladder.recorder.events.contains("web: ended"))
  }

  @Test("does the same in a group of swift-service-lifecycle")
  func inGroup() async throws {
    let ladder = ladder
    let logger = Logger(label: "silent") { _ in SwiftLogNoOpLogHandler() }
    let group = ServiceGroup(services: [ScriptedService("web", on: ladder)], logger: logger)
    async let running: Void = group.run()
    await ladder.recorder.wait(for: "web: started")
    await group.triggerGracefulShutdown()
    try await running
    #expect(ladder.recorder.events == ["web: started", "web: told", "web: ended"])
  }
}
