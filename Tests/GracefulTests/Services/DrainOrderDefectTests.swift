import TestHost
import Graceful
import GracefulTesting
import ServiceLifecycle
import Testing

/// The defects of swift-service-lifecycle 2.13 that concern the order and the end of a drain, numbered as in our notes:
/// the same services in a `ServiceGroup` and in a lifecycle.
///
/// A group that was mended fails these tests: then its half goes.
@Suite("The same services in a ServiceGroup and in a lifecycle", .timeLimit(.minutes(1)))
struct DrainOrderDefectTests {
  private let theirs = Recorder()
  private let ours = Recorder()
  private let shop = Lifecycle("shop", grace: .seconds(30), logger: .silent)

  /// A worker that needs its database until it has ended, even when it is cancelled.
  ///
  /// - Returns: The database, the worker, and a service that ends without having been asked to.
  private func shopping(_ recorder: Recorder, wait: Duration) -> [ScriptedService] {
    let database = ScriptedService(name: "database", recorder: recorder)
    let worker = ScriptedService(
      name: "worker", recorder: recorder,
      cleanup: {
        // Marks its jobs as failed, in the database. How long that takes is up to the test.
        await recorder.sees("database: ended", within: wait)
        recorder.record("worker: database is \(recorder.events.contains("database: ended") ? "gone" : "there")")
      })
    let visitor = ScriptedService(
      name: "visitor", recorder: recorder,
      work: { await eventually { recorder.events.contains("worker: started") } })
    return [database, worker, visitor]
  }

  @Test("Defect 1: a group that is cancelled, as it is when a service ends, keeps no order; a lifecycle does")
  func orderWhenCancelled() async {
    let group = ServiceGroup(services: shopping(theirs, wait: .seconds(20)), logger: .silent)
    await #expect(throws: ServiceGroupError.self) { try await group.run() }
    #expect(theirs.saw(inOrder: "database: cancelled", "worker: database is gone", "worker: ended"))

    let services = shopping(ours, wait: .milliseconds(20))
    let database = shop.phase("database", service: services[0])
    shop.phase("worker", requires: database, service: services[1])
    shop.phase("visitor", service: services[2])
    let report = await shop.run()
    #expect(report.request == StopRequest(source: .phaseEnded("visitor")))
    #expect(
      ours.saw(inOrder: "worker: database is there", "worker: ended", "database: told", "database: ended"))
    #expect(report.exitCode == 0)
  }

  @Test("Defect 1: nor when the task that runs it is cancelled; a lifecycle does")
  func orderWhenCallerIsCancelled() async {
    let group = ServiceGroup(
      services: Array(shopping(theirs, wait: .seconds(20)).prefix(2)), logger: .silent)
    let theirRun = Task { try await group.run() }
    await theirs.wait(for: "worker: started")
    theirRun.cancel()
    _ = await theirRun.result
    #expect(theirs.saw(inOrder: "database: cancelled", "worker: database is gone"))

    let services = shopping(ours, wait: .milliseconds(20))
    let database = shop.phase("database", service: services[0])
    shop.phase("worker", requires: database, service: services[1])
    // Its time does not pass: on a machine that is busy for two seconds, the worker would be abandoned.
    let clock = ManualClock()
    let ourRun = Task { await shop.run(on: clock) }
    await ours.wait(for: "worker: started")
    ourRun.cancel()
    #expect(await ourRun.value.request?.source == .cancellation)
    #expect(ours.saw(inOrder: "worker: database is there", "worker: ended", "database: ended"))
    #expect(ours.saw("worker", endedBeforeStopOf: "database"))
  }

  /// A bystander that ends by itself while the web server, which is asked first, is still draining.
  ///
  /// - Parameter patience: How long its last request takes, unless the group cancels it. Whether it does is decided on
  ///   another thread: it has so long to do so.
  private func bystander(
    _ recorder: Recorder, patience: Duration
  ) -> (bystander: ScriptedService, web: ScriptedService) {
    let bystander = ScriptedService(
      name: "bystander", recorder: recorder, work: { await recorder.sees("web: told") })
    let web = ScriptedService(
      name: "web", recorder: recorder,
      cleanup: {
        await recorder.sees("bystander: ended")
        await eventually(within: patience) { Task.isCancelled }
        recorder.record("web: last request \(Task.isCancelled ? "cut" : "answered")")
      })
    return (bystander, web)
  }

  @Test(
    "Defect 2: a service that ends during another's drain cuts that off, although it is to be ignored; ours does not")
  func siblingEndsDuringDrain() async {
    let (theirBystander, theirWeb) = bystander(theirs, patience: .seconds(20))
    let group = ServiceGroup(
      configuration: .init(
        services: [
          .init(service: theirBystander, successTerminationBehavior: .ignore), .init(service: theirWeb),
        ], logger: .silent))
    let running = Task { try await group.run() }
    await theirs.wait(for: "web: started")
    await theirs.wait(for: "bystander: started")
    await group.triggerGracefulShutdown()
    await #expect(throws: ServiceGroupError.serviceFinishedUnexpectedly()) { try await running.value }
    #expect(theirs.events.contains("web: last request cut"))

    let (ourBystander, ourWeb) = bystander(ours, patience: .milliseconds(500))
    let requirement = shop.phase("bystander", service: ourBystander)
    shop.phase("web", requires: requirement, service: ourWeb)
    async let report = shop.run()
    await ours.wait(for: "web: started")
    shop.requestStop()
    #expect(await report.phases.map(\.end) == [.drained, .drained])
    #expect(ours.events.contains("web: last request answered"))
  }

  @Test(
    "Defect 3: a group whose drain was cut at its deadline returns as if it were clean; the report says 124 and who")
  func cutDrain() async throws {
    let theirWeb = ScriptedService(name: "web", recorder: theirs, work: { await ScriptedService.untilCancelled() })
    var configuration = ServiceGroupConfiguration(services: [theirWeb], logger: .silent)
    configuration.maximumGracefulShutdownDuration = .milliseconds(20)
    let group = ServiceGroup(configuration: configuration)
    async let ended: Void = group.run()
    await theirs.wait(for: "web: started")
    await group.triggerGracefulShutdown()
    // No error, although the work was cut.
    try await ended
    #expect(theirs.saw(inOrder: "web: told", "web: cancelled"))

    shop.phase(
      "web", limit: .milliseconds(20),
      service: ScriptedService(name: "web", recorder: ours, work: { await ScriptedService.untilCancelled() }))
    // Not by the clock: it may be cancelled before another thread has told it, or be abandoned on a busy machine.
    let clock = ManualClock()
    async let report = shop.run(on: clock)
    await ours.wait(for: "web: started")
    shop.requestStop()
    await ours.wait(for: "web: told")
    clock.advance(by: .milliseconds(20))
    #expect(await report.phases.map(\.end) == [.cancelled])
    #expect(await report.stragglers.map(\.name) == ["web"])
    #expect(await report.exitCode == 124)
    #expect(ours.saw(inOrder: "web: told", "web: cancelled"))
  }

  @Test(
    "Defect 5: one slow service eats the time of all, and the rest is cancelled unserved; limits are each one's own")
  func budget() async throws {
    func slow(_ recorder: Recorder) -> ScriptedService {
      ScriptedService(name: "slow", recorder: recorder, work: { await ScriptedService.untilCancelled() })
    }
    var configuration = ServiceGroupConfiguration(
      services: [
        ScriptedService(name: "database", recorder: theirs), ScriptedService(name: "queue", recorder: theirs),
        slow(theirs),
      ], logger: .silent)
    configuration.maximumGracefulShutdownDuration = .milliseconds(50)
    let group = ServiceGroup(configuration: configuration)
    async let ended: Void = group.run()
    for name in ["database", "queue", "slow"] { await theirs.wait(for: "\(name): started") }
    await group.triggerGracefulShutdown()
    try await ended
    // By cancellation, and only then, if at all, by their turn.
    let first = { (name: String) in theirs.events.first { $0 == "\(name): told" || $0 == "\(name): cancelled" } }
    #expect(first("database") == "database: cancelled")
    #expect(first("queue") == "queue: cancelled")

    let database = shop.phase("database", service: ScriptedService(name: "database", recorder: ours))
    let queue = shop.phase("queue", requires: database, service: ScriptedService(name: "queue", recorder: ours))
    shop.phase("slow", requires: queue, limit: .milliseconds(50), service: slow(ours))
    let clock = ManualClock()
    async let report = shop.run(on: clock)
    await ours.wait(for: "slow: started")
    shop.requestStop()
    await ours.wait(for: "slow: told")
    clock.advance(by: .milliseconds(50))
    #expect(await report.phases.map(\.end) == [.drained, .drained, .cancelled])
    #expect(ours.saw(inOrder: "slow: cancelled", "slow: ended", "queue: told", "queue: ended", "database: told"))
    #expect(!ours.events.contains("queue: cancelled"))
  }

  @Test("Defect 5: independent services of a group drain one after the other; phases drain at the same time")
  func parallel() async throws {
    /// Each drains until the other one drains as well.
    func pair(_ recorder: Recorder, patience: Duration) -> [ScriptedService] {
      [("left", "right"), ("right", "left")].map { name, other in
        ScriptedService(
          name: name, recorder: recorder,
          cleanup: {
            let met = await recorder.sees("\(other): told", within: patience)
            recorder.record("\(name): \(met ? "met" : "did not meet") \(other)")
          })
      }
    }
    let group = ServiceGroup(services: pair(theirs, patience: .milliseconds(300)), logger: .silent)
    async let ended: Void = group.run()
    for name in ["left", "right"] { await theirs.wait(for: "\(name): started") }
    await group.triggerGracefulShutdown()
    try await ended
    #expect(theirs.events.contains("right: did not meet left"))

    let services = pair(ours, patience: .seconds(20))
    shop.phase("left", service: services[0])
    shop.phase("right", service: services[1])
    async let report = shop.run()
    for name in ["left", "right"] { await ours.wait(for: "\(name): started") }
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(ours.events.contains("left: met right"))
    #expect(ours.events.contains("right: met left"))
  }
}
