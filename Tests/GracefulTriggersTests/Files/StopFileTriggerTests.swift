import CGracefulSystem
import GracefulShutdown
import TestHost
import Testing

@testable import GracefulTriggers

@Suite("The trigger of stop files", .offThePool, .exclusive(.stopFileThreads), .serialized, .timeLimit(.minutes(1)))
struct StopFileTriggerTests {
  private func report(_ who: StopRequest.Source) -> LifecycleReport {
    LifecycleReport(
      lifecycle: "shop", request: StopRequest(source: who), mistakes: [], phases: [], stragglers: [], ran: .zero,
      took: .zero, grace: .seconds(1), endedBySignal: nil, ignored: [])
  }

  @Test("Asks for a stop, and answers with the last exit hook")
  func answers() throws {
    let directory = try FilesDirectory()
    let asked = Heard<StopRequest>()
    let listening = try Trigger.files(StopFiles(directory: directory.path)).attach(
      to: StopTarget(ask: asked.add, lifecycle: Lifecycle("shop")))
    directory.make("process.stop")
    #expect(asked.waits(for: 1) && asked.all[0].source == .file(directory.file("process.stop")))
    #expect(listening.exitHooks.map(\.moment) == [.withReport, .last] && directory.names == [])
    listening.exitHooks[1].say(report(.file("x")))
    #expect(directory.names == ["process.stopped"])
    listening.leave()
  }

  @Test("Says nothing when a successor has taken over, for the program goes on")
  func successor() throws {
    let directory = try FilesDirectory()
    let listening = try Trigger.files(StopFiles(directory: directory.path)).attach(
      to: StopTarget(ask: { _ in }, lifecycle: Lifecycle("shop")))
    listening.exitHooks[1].say(report(.successor(7)))
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

  @Test("One that comes while another one answers takes nothing, and its end is no answer")
  func second() throws {
    let directory = try FilesDirectory()
    let files = StopFiles(directory: directory.path)
    let asked = Heard<StopRequest>()
    let none = Heard<StopRequest>()
    let first = try Trigger.files(files).attach(to: StopTarget(ask: asked.add, lifecycle: Lifecycle("first")))
    for _ in 0..<5 {
      let second = try Trigger.files(files).attach(to: StopTarget(ask: none.add, lifecycle: Lifecycle("second")))
      let count = asked.all.count
      directory.make("process.stop")
      #expect(asked.waits(for: count + 1))
      for exitHook in second.exitHooks { exitHook.say(report(.code)) }
      second.leave()
      #expect(directory.names == [] && directory.has("process.stop.lock"))
    }
    for exitHook in first.exitHooks { exitHook.say(report(.file("x"))) }
    #expect(directory.names == ["process.stopped"] && !directory.has("process.stop.lock") && none.all.isEmpty)
    let third = try Trigger.files(files).attach(to: StopTarget(ask: none.add, lifecycle: Lifecycle("third")))
    directory.make("process.stop")
    #expect(none.waits(for: 1) && directory.names == [])
    third.leave()
  }

  @Test("When a successor takes over, it has the files, and the end of its predecessor is no answer")
  func takenOver() throws {
    let directory = try FilesDirectory()
    let files = StopFiles(directory: directory.path)
    let first = Lifecycle("first")
    let reason = Heard<String>()
    first.succession.join(
      .init(refusal: { reason.all.last.flatMap { $0.isEmpty ? nil : $0 } }, requestPermission: { $0(reason.all.last) }))
    reason.add("a handover is going on")
    let none = Heard<StopRequest>()
    let asked = Heard<StopRequest>()
    let before = try Trigger.files(files).attach(to: StopTarget(ask: none.add, lifecycle: first))
    let after = try Trigger.files(files).attach(to: StopTarget(ask: asked.add, lifecycle: Lifecycle("second")))
    directory.make("process.stop")
    reason.add("process 7 has taken over")
    first.succession.passOn()
    #expect(asked.waits(for: 1) && none.all.isEmpty)
    for exitHook in before.exitHooks { exitHook.say(report(.signal(15))) }
    before.leave()
    #expect(directory.names == [])
    for exitHook in after.exitHooks { exitHook.say(report(.file("x"))) }
    after.leave()
    #expect(directory.names == ["process.stopped"])
  }

  @Test("An answer that cannot be written ends nothing")
  func unwritable() throws {
    let directory = try FilesDirectory()
    var files = StopFiles(directory: directory.path)
    files.calls = FailingFileCalls(1, of: [.create], from: true).calls
    let listening = try Trigger.files(files).attach(to: StopTarget(ask: { _ in }, lifecycle: Lifecycle("shop")))
    listening.exitHooks[1].say(report(.code))
    #expect(directory.names == [])
    listening.leave()
  }
}
