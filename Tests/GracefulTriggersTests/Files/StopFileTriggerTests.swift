import CGracefulSystem
import GracefulShutdown
import Testing
import WholeMachine

@testable import GracefulTriggers

@Suite("The trigger of stop files", .wholeMachine, .serialized, .timeLimit(.minutes(1)))
struct StopFileTriggerTests {
  private func report(_ who: StopRequest.Asker) -> LifecycleReport {
    LifecycleReport(
      lifecycle: "shop", request: StopRequest(who: who), mistakes: [], phases: [], stragglers: [], ran: .zero,
      took: .zero, grace: .seconds(1), endedBySignal: nil, ignored: [])
  }

  @Test("Asks for a stop, and answers with the last farewell")
  func answers() throws {
    let directory = try FilesDirectory()
    let asked = Heard<StopRequest>()
    let listening = try Trigger.files(StopFiles(directory: directory.path)).attach(
      to: StopTarget(ask: asked.add, lifecycle: Lifecycle("shop")))
    directory.make("process.stop")
    #expect(asked.waits(for: 1) && asked.all[0].who == .file(directory.file("process.stop")))
    #expect(listening.farewells.map(\.moment) == [.withReport, .last] && directory.names == [])
    listening.farewells[1].say(report(.file("x")))
    #expect(directory.names == ["process.stopped"])
    listening.leave()
  }

  @Test("Says nothing when a successor has taken over, for the program goes on")
  func successor() throws {
    let directory = try FilesDirectory()
    let listening = try Trigger.files(StopFiles(directory: directory.path)).attach(
      to: StopTarget(ask: { _ in }, lifecycle: Lifecycle("shop")))
    listening.farewells[1].say(report(.successor(7)))
    #expect(directory.names == [])
    listening.leave()
  }

  @Test("Leaves a request to the successor that has taken over")
  func passedOn() throws {
    let directory = try FilesDirectory()
    let asked = Heard<StopRequest>()
    let refused = Heard<StopFileRefusal>()
    let driver = try StopFileWatchDriver(
      StopFiles(directory: directory.path), told: [refused.add], isPassedOn: { true }, heard: asked.add)
    directory.make("process.stop")
    var isGone = false
    let deadline = ContinuousClock.now + .seconds(20)
    while !isGone, .now < deadline { isGone = Disposition.threads(named: "graceful-files").isEmpty }
    #expect(isGone && asked.all.isEmpty && directory.names == ["process.stop"])
    driver.leave()
  }

  @Test("An answer that cannot be written ends nothing")
  func unwritable() throws {
    let directory = try FilesDirectory()
    var files = StopFiles(directory: directory.path)
    files.calls = FailingFileCalls(1, of: [.create], from: true).calls
    let listening = try Trigger.files(files).attach(to: StopTarget(ask: { _ in }, lifecycle: Lifecycle("shop")))
    listening.farewells[1].say(report(.code))
    #expect(directory.names == [])
    listening.leave()
  }
}
