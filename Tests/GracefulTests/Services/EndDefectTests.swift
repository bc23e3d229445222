import Graceful
import GracefulTesting
import Logging
import ServiceLifecycle
import Testing

/// What a group says of an end that was not clean, and what a lifecycle says.
@Suite("What is said of services that fail or hang while they stop", .timeLimit(.minutes(1)))
struct EndDefectTests {
  private let theirs = Recorder()
  private let ours = Recorder()

  @Test("Defect 4: a group that cuts a drain logs no word of it above debug; a lifecycle logs and reports each by name")
  func cutWithoutAWord() async throws {
    func hanging(_ name: String, _ recorder: Recorder) -> ScriptedService {
      ScriptedService(name: name, recorder: recorder, work: { await ScriptedService.untilCancelled() })
    }
    let theirLog = CountingLog.Count()
    var configuration = ServiceGroupConfiguration(
      services: [hanging("left", theirs), hanging("right", theirs)],
      logger: CountingLog.logger(theirLog, level: .info))
    configuration.maximumGracefulShutdownDuration = .milliseconds(20)
    let group = ServiceGroup(configuration: configuration)
    async let ended: Void = group.run()
    for name in ["left", "right"] { await theirs.wait(for: "\(name): started") }
    await group.triggerGracefulShutdown()
    try await ended
    #expect(theirs.saw(inOrder: "left: cancelled", "left: ended"))
    #expect(theirs.saw(inOrder: "right: cancelled", "right: ended"))
    #expect(theirLog.value == 0)

    let ourLog = CountingLog.Count()
    let shop = Lifecycle("shop", logger: CountingLog.logger(ourLog, level: .warning))
    for name in ["left", "right"] { shop.phase(name, limit: .milliseconds(20), service: hanging(name, ours)) }
    // Not by the clock: on a machine that is busy for two seconds, they would be abandoned.
    let clock = ManualClock()
    async let report = shop.run(on: clock)
    for name in ["left", "right"] { await ours.wait(for: "\(name): started") }
    shop.requestStop()
    for name in ["left", "right"] { await ours.wait(for: "\(name): told") }
    clock.advance(by: .milliseconds(20))
    #expect(await report.phases.map(\.end) == [.cancelled, .cancelled])
    #expect(await Set(report.stragglers.map(\.name)) == ["left", "right"])
    // One entry for each of them at the least, and one for the whole.
    #expect(ourLog.value >= 3)
  }

  private struct Lost: Error, CustomStringConvertible {
    let description: String
  }

  /// The web server fails, and while the rest is stopped for it, so does the database: its last transaction is lost.
  private func failing(_ recorder: Recorder) -> (database: ScriptedService, web: ScriptedService) {
    let database = ScriptedService(
      name: "database", recorder: recorder, cleanup: { throw Lost(description: "disk full") })
    let web = ScriptedService(
      name: "web", recorder: recorder,
      work: {
        await recorder.sees("database: started")
        throw Lost(description: "port gone")
      })
    return (database, web)
  }

  @Test("Defect 9: a group that stops for a failure keeps no other that comes of it; the report has both")
  func failureDuringTheStop() async {
    let (theirDatabase, theirWeb) = failing(theirs)
    let theirLog = CountingLog.Count()
    let group = ServiceGroup(
      configuration: .init(
        services: [
          .init(service: theirDatabase),
          .init(service: theirWeb, failureTerminationBehavior: .gracefullyShutdownGroup),
        ], logger: CountingLog.logger(theirLog, level: .info)))
    let thrown = await #expect(throws: Lost.self) { try await group.run() }
    #expect(theirs.saw(inOrder: "web: ended", "database: told", "database: ended"))
    #expect(thrown?.description == "port gone")
    #expect(theirLog.value == 0)

    let (ourDatabase, ourWeb) = failing(ours)
    let shop = Lifecycle("shop", logger: .silent)
    let database = shop.phase("database", service: ourDatabase)
    shop.phase("web", requires: database, service: ourWeb)
    let report = await shop.run()
    #expect(ours.saw(inOrder: "web: ended", "database: told", "database: ended"))
    #expect(report.request?.source == .phaseFailed("web"))
    #expect(report.phases.map(\.end) == [.failed("disk full"), .failed("port gone")])
    #expect(report.exitCode == 1)
    for lost in ["disk full", "port gone"] { #expect(report.text.contains(lost), "\(report.text)") }
  }
}
