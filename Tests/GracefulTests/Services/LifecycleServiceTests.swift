import GracefulTesting
import ServiceLifecycle
import Testing

@testable import Graceful

@Suite("A lifecycle as a service in somebody's ServiceGroup", .timeLimit(.minutes(1)))
struct LifecycleServiceTests {
  private let recorder = Recorder()
  private let shop = Lifecycle("shop", grace: .seconds(30), logger: .silent)

  /// Cancelled phases have 2 s, which is little on a busy machine: here time stands still, and they have as long as they
  /// need.
  private var timeless: LifecycleService {
    LifecycleService(lifecycle: shop, triggers: [], environment: ManualClock())
  }

  private func addPhases(_ work: @escaping @Sendable () async throws -> Void = { await ScriptedService.untilTold() }) {
    let database = shop.phase("database", service: ScriptedService(name: "database", recorder: recorder))
    shop.phase("web", requires: database, service: ScriptedService(name: "web", recorder: recorder, work: work))
  }

  @Test("stops at the group's graceful shutdown, in its own order and in the group's, and ends without an error")
  func gracefulShutdown() async throws {
    addPhases()
    let telemetry = ScriptedService(name: "telemetry", recorder: recorder)
    let group = ServiceGroup(services: [telemetry, shop.service()], logger: .silent)
    async let ended: Void = group.run()
    await recorder.wait(for: "web: started")
    await group.triggerGracefulShutdown()
    try await ended
    #expect(
      recorder.saw(
        inOrder: "web: told", "web: ended", "database: told", "database: ended", "telemetry: told",
        "telemetry: ended"))
    #expect(await shop.run().request?.source == .serviceGroup)
  }

  @Test("shields its phases from the group: they hear their turn, not the group's shutdown")
  func shielded() async throws {
    let recorder = recorder
    let database = shop.phase("database") { phase in
      phase.ready()
      await phase.stopRequested()
      recorder.record("database: heard, flag \(Task.isShuttingDownGracefully)")
      try await ServiceLifecycle.gracefulShutdown()
      recorder.record("database: told")
    }
    shop.phase("web", requires: database) { phase in
      phase.ready()
      recorder.record("web: ready")
      try await ServiceLifecycle.gracefulShutdown()
      await recorder.sees("database: heard, flag false")
      recorder.record("web: ended")
    }
    let group = ServiceGroup(services: [shop.service()], logger: .silent)
    async let ended: Void = group.run()
    await recorder.wait(for: "web: ready")
    await group.triggerGracefulShutdown()
    try await ended
    #expect(recorder.events == ["web: ready", "database: heard, flag false", "web: ended", "database: told"])
  }

  @Test("is cancelled in its order when the group is cancelled")
  func cancelled() async {
    addPhases()
    let group = ServiceGroup(services: [timeless], logger: .silent)
    let running = Task { try await group.run() }
    await recorder.wait(for: "web: started")
    running.cancel()
    _ = await running.result
    // Each is told and cancelled in the same moment, and hears the one or the other first.
    #expect(recorder.saw("web", endedBeforeStopOf: "database"))
    #expect(await shop.run().request?.source == .cancellation)
    #expect(await shop.run().exitCode == 124)
  }

  @Test(
    "is cancelled in its order when another service of the group has ended, which a group answers with a cancellation")
  func siblingEnds() async {
    addPhases()
    let recorder = recorder
    let sibling = ScriptedService(name: "sibling", recorder: recorder, work: { await recorder.sees("web: started") })
    let group = ServiceGroup(services: [sibling, timeless], logger: .silent)
    await #expect(throws: ServiceGroupError.self) { try await group.run() }
    // Each is told and cancelled in the same moment, and hears the one or the other first.
    #expect(recorder.saw("web", endedBeforeStopOf: "database"))
  }

  @Test("cancels what drains, in order, when the group is cancelled after its graceful shutdown, and says so")
  func escalated() async throws {
    addPhases { await ScriptedService.untilCancelled() }
    let group = ServiceGroup(services: [timeless], logger: .silent)
    let running = Task { try await group.run() }
    await recorder.wait(for: "web: started")
    await group.triggerGracefulShutdown()
    // As a group does it after `maximumGracefulShutdownDuration`, but not before another thread has told the phase.
    await recorder.wait(for: "web: told")
    running.cancel()
    do {
      try await running.value
      Issue.record("a drain that was cut looks like a clean one")
    } catch let failure as LifecycleFailure {
      #expect(failure.report.stragglers.first?.name == "web")
      #expect(failure.exitCode == 124)
      #expect("\(failure)".contains("not ended in time: web"), "\(failure)")
    }
    #expect(recorder.saw(inOrder: "web: told", "web: cancelled", "web: ended", "database: ended"))
    #expect(recorder.saw("web", endedBeforeStopOf: "database"))
  }

  @Test("throws an error with its report when a phase has failed")
  func fails() async throws {
    addPhases { throw Broken.pipe }
    let group = ServiceGroup(services: [shop.service()], logger: .silent)
    let failure = await #expect(throws: LifecycleFailure.self) { try await group.run() }
    #expect(failure?.exitCode == 1)
    #expect(failure?.report.phases.map(\.end) == [.drained, .failed("pipe")])
  }

  @Test("runs until it is asked to stop, although it has no phases: the group does not end at once")
  func empty() async throws {
    let recorder = recorder
    let trigger = Trigger("test") { _ in
      recorder.record("listening")
      return { recorder.record("ended") }
    }
    let group = ServiceGroup(services: [shop.service(on: trigger)], logger: .silent)
    async let ended: Void = group.run()
    await recorder.wait(for: "listening")
    await group.triggerGracefulShutdown()
    try await ended
    // An end by itself would have had no request.
    #expect(await shop.run().request?.source == .serviceGroup)

    // What a group does that has none: defect of nested groups, and the reason for this test.
    let inner = ServiceGroup(services: [], logger: .silent)
    await #expect(throws: ServiceGroupError.self) {
      try await ServiceGroup(services: [inner], logger: .silent).run()
    }
  }

  @Test("ends clean when the group was told to shut down before it ran")
  func toldBeforeTheStart() async throws {
    addPhases()
    let group = ServiceGroup(services: [shop.service()], logger: .silent)
    await group.triggerGracefulShutdown()
    try await group.run()
    let report = await shop.run()
    // The group starts its services and tells them then; how far the lifecycle has come by that time is open.
    #expect(report.exitCode == 0)
    #expect(report.phases.allSatisfy { [.drained, .neverStarted].contains($0.end) }, "\(report.text)")
  }
}
