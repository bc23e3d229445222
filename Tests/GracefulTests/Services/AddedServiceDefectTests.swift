import Graceful
import GracefulTesting
import ServiceLifecycle
import Testing

/// The nearest that a group has to sessions is to add services while it runs.
@Suite("Short work while the program runs", .timeLimit(.minutes(1)))
struct AddedServiceDefectTests {
  private static let many = 500
  private let recorder = Recorder()
  private let log = CountingLog.Count()

  @Test("Defect 7: a group walks at its end past all that were ever added to it; a phase has forgotten its sessions")
  func growth() async throws {
    let keeper = ScriptedService(name: "keeper", recorder: recorder)
    let group = ServiceGroup(services: [keeper], logger: CountingLog.logger(log))
    let running = Task { try await group.run() }
    await recorder.wait(for: "keeper: started")
    for number in 0..<Self.many {
      let short = ScriptedService(name: "\(number)", recorder: recorder, work: {})
      await group.addServiceUnlessShutdown(.init(service: short, successTerminationBehavior: .ignore))
      await recorder.wait(for: "\(number): ended")
    }
    let theirsBefore = log.value
    await group.triggerGracefulShutdown()
    try await running.value
    // One entry for each of them, at the least, although all of them ended long ago.
    #expect(log.value - theirsBefore > Self.many)

    let ours = CountingLog.Count()
    let shop = Lifecycle("shop", logger: CountingLog.logger(ours))
    let recorder = recorder
    shop.phase("web") { phase in
      phase.ready()
      for number in 0..<Self.many { try await phase.withSession("\(number)") {} }
      recorder.record("served")
      await phase.turnToStop()
    }
    async let report = shop.run()
    await recorder.wait(for: "served")
    let web = try #require(shop.snapshot().phases.first)
    #expect(web.sessionsLive == 0)
    #expect(web.sessionsAdmitted == Self.many)
    #expect(web.oldestSessions.isEmpty)
    let oursBefore = ours.value
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(ours.value - oursBefore < 20)
  }

  @Test("Defect 7: what comes too late is dropped by a group without a word; a phase refuses it with an error")
  func refusal() async throws {
    let recorder = recorder
    let keeper = ScriptedService(
      name: "keeper", recorder: recorder, cleanup: { await recorder.sees("late: was added") })
    let group = ServiceGroup(services: [keeper], logger: .silent)
    let running = Task { try await group.run() }
    await recorder.wait(for: "keeper: started")
    await group.triggerGracefulShutdown()
    await recorder.wait(for: "keeper: told")
    let late = ScriptedService(name: "late", recorder: recorder)
    // Returns nothing, throws nothing, and the group still runs: to the caller it looks as if it had been taken.
    let answer: Void = await group.addServiceUnlessShutdown(late)
    recorder.record("late: was added\(answer == () ? "" : "?")")
    try await running.value
    #expect(!recorder.events.contains("late: started"))

    let shop = Lifecycle("shop", logger: .silent)
    shop.phase("web") { phase in
      phase.ready()
      shop.requestStop()
      await phase.turnToStop()
      do {
        try await phase.withSession("late") { recorder.record("late: served") }
      } catch let error as PhaseError {
        recorder.record("late: refused")
        #expect("\(error)".contains("late"), "\(error)")
      }
    }
    #expect(await shop.run().exitCode == 0)
    #expect(recorder.events.last == "late: refused")
  }
}
