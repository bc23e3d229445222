import CGracefulSystem
import Foundation
import Graceful
import GracefulDescriptors
import GracefulHandover
import GracefulProcesses
import GracefulShutdown
import GracefulTriggers
import Logging
import SchemaChecking
import Synchronization
import SystemPackage
import TestHost
import Testing

/// Real sockets, in this very process.
@Suite("A control socket", .exclusive(.controlThreads), .serialized, .timeLimit(.minutes(2)))
struct ControlSocketTests {
  @Test("shows the state and the plan, and answers a stop only when it has ended")
  func whole() async throws {
    let place = try ControlPlace()
    let socket = place.socket
    let shop = ControlStage.program()
    async let report = shop.run(on: .control(socket: socket))
    let answers = try await ControlStage.blocking {
      try ControlStage.waitUntilRunning(socket)
      #expect(try FileManager.default.attributesOfItem(atPath: socket)[.posixPermissions] as? Int == 0o600)
      let status = try BareControlClient.ask(.status(every: nil), at: socket)
      let plan = try BareControlClient.ask(.plan, at: socket)
      #expect(status.first == .serving(process: UInt32(cgs_process_id()), generation: 0))
      #expect(status.documents.first?.contains("\"lifecycle\" : \"shop\"") == true)
      #expect(try StopPlan(json: plan.documents.first ?? "").phases.map(\.name) == ["web"])
      #expect(try BareControlClient.ask(.restart, at: socket).last?.refusal == .impossible)
      return try BareControlClient.ask(.stop(.init(why: "a test")), at: socket)
    }
    let who = "process \(cgs_process_id()) of user \(cgs_effective_user())"
    #expect(await report.request == StopRequest(source: .control, why: "a test (\(who))"))
    guard case .stopped(exitCode: 0, let summary) = answers.last else {
      Issue.record("\(answers)")
      return
    }
    #expect(summary.contains("exit 0: clean"))
    #expect(!FileManager.default.fileExists(atPath: socket))
  }

  @Test("tells the progress of a stop, and to whoever watches, until the end")
  func progress() async throws {
    let place = try ControlPlace()
    let socket = place.socket
    let shop = ControlStage.program()
    let (hold, release) = AsyncStream<Void>.makeStream()
    shop.phase("slow") { phase in
      phase.ready()
      await phase.turnToStop()
      for await _ in hold { break }
    }
    async let report = shop.run(on: .control(socket: socket))
    let (stop, watch) = try await ControlStage.blocking {
      try ControlStage.waitUntilRunning(socket)
      let watcher = try BareControlClient(socket)
      watcher.ask(.status(every: .milliseconds(50)))
      let before = try watcher.answers { !$0.documents.isEmpty }
      let client = try BareControlClient(socket)
      client.ask(.stop(.init(progress: .milliseconds(50))))
      var isReleased = false
      let stop = try client.answers { answers in
        // Not before it was seen to drain three times.
        if !isReleased, answers.documents.count(where: { $0.contains("\"draining\"") }) >= 3 {
          isReleased = true
          release.finish()
        }
        return answers.last?.isFinal == true && !(answers.last == .whole)
      }
      let watch = try watcher.answers { $0.documents.last?.contains("\"finished\"") == true }
      return (stop.answers, before.answers + watch.answers)
    }
    #expect(await report.exitCode == 0)
    if case .stopped(exitCode: 0, _) = stop.last {} else { Issue.record("\(stop.last.map { "\($0)" } ?? "")") }
    #expect(watch.documents.contains { $0.contains("\"state\" : \"running\"") || $0.contains("\"starting\"") })
    let schema = try SchemaChecker("lifecycle-snapshot-1")
    for document in watch.documents + stop.documents { #expect(try schema.problems(inText: document) == []) }
  }

  @Test("cancels at once when that is asked for")
  func now() async throws {
    let place = try ControlPlace()
    let socket = place.socket
    let shop = Lifecycle("shop", grace: .seconds(60), logger: ControlStage.logger)
    shop.phase("web") { phase in
      phase.ready()
      // Ends when it is cancelled, and at nothing else.
      for await _ in AsyncStream<Never>.makeStream().stream {}
    }
    async let report = shop.run(on: .control(socket: socket))
    let answers = try await ControlStage.blocking {
      try ControlStage.waitUntilRunning(socket)
      return try BareControlClient.ask(.stop(.init(now: true)), at: socket)
    }
    #expect(await report.exitCode == 124)
    guard case .stopped(exitCode: 124, let summary) = answers.last else {
      Issue.record("\(answers)")
      return
    }
    #expect(summary.contains("web"))
  }

  @Test("stops a program without a lifecycle, of which there is nothing to show")
  func alone() async throws {
    let place = try ControlPlace()
    let socket = place.socket
    let asked = Mutex<[StopRequest]>([])
    let leave = try Trigger.control(socket: socket).listen { request in asked.withLock { $0.append(request) } }
    try await ControlStage.blocking {
      #expect(try BareControlClient.ask(.status(every: nil), at: socket).last?.refusal == .impossible)
      let client = try BareControlClient(socket)
      client.ask(.stop(.init(progress: .milliseconds(50))))
      #expect(try client.answers { $0.last == .accepted }.answers.last == .accepted)
    }
    #expect(asked.withLock { $0 }.map(\.source) == [.control])
    leave()
    #expect(!FileManager.default.fileExists(atPath: socket))
  }

  @Test("a phase with a handover that is started again has its socket again, and leaves no thread behind")
  func startedAgain() async throws {
    let place = try ControlPlace()
    let socket = place.socket
    let shop = Lifecycle("shop", grace: .seconds(20), logger: ControlStage.logger)
    let runs = Mutex(0)
    struct Failed: Error {}
    var policy = RestartPolicy.onFailure(intensity: 20)
    policy.firstDelay = .milliseconds(1)
    policy.maximumDelay = .milliseconds(1)
    shop.phase("web", restart: policy) { phase in
      let run = runs.withLock { runs in
        runs += 1
        return runs
      }
      try await shop.withHandover(Handover.Configuration(socket: socket, program: "test"), for: phase) { handover in
        try await phase.takeOver(handover, accepting: Acceptor(accept: {}, pause: { $0() }))
        if run < 8 { throw Failed() }
        phase.ready()
        await phase.turnToStop()
      }
    }
    async let report = shop.run()
    let threads = try await ControlStage.blocking { () throws -> Int in
      let deadline = ContinuousClock.now + .seconds(30)
      while ContinuousClock.now < deadline {
        let status = (try? BareControlClient.ask(.status(every: nil), at: socket)) ?? []
        if status.documents.first?.contains("\"state\" : \"running\"") == true { break }
      }
      var threads = Int.max
      // Those of the handovers before go when their last visitor has had his time.
      while threads > 1, ContinuousClock.now < deadline {
        threads = Self.threads(named: "control")
      }
      let stopped = try BareControlClient.ask(.stop(.init()), at: socket)
      if case .stopped(exitCode: 0, _) = stopped.last {} else { Issue.record("\(stopped)") }
      return threads
    }
    #expect(await report.exitCode == 0)
    #expect(runs.withLock { $0 } == 8)
    #expect(threads == 1)
    #expect(!FileManager.default.fileExists(atPath: socket))
  }

  private static func threads(named name: String) -> Int {
    let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
    return tasks.count { (try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8)) == name + "\n" }
  }

  @Test("a handover's socket answers in every generation, sends a stop on while a handover goes on, and restarts")
  func generations() async throws {
    let place = try ControlPlace()
    let socket = place.socket
    let shop = Lifecycle("shop", grace: .seconds(20), logger: ControlStage.logger)
    shop.phase("web") { phase in
      var configuration = Handover.Configuration(socket: socket, program: "test")
      configuration.successor = .init("/nonexistent/graceful-test", environment: [:])
      try await shop.withHandover(configuration, for: phase) { handover in
        try await phase.takeOver(handover, accepting: Acceptor(accept: {}, pause: { $0() }))
        phase.ready()
        await phase.turnToStop()
      }
    }
    async let report = shop.run()
    let answers = try await ControlStage.blocking {
      let deadline = ContinuousClock.now + .seconds(20)
      var serving = false
      while !serving, ContinuousClock.now < deadline {
        serving =
          (try? BareControlClient.ask(.status(every: nil), at: socket).documents.first?.contains(
            "\"state\" : \"running\"")) == true
      }
      let status = try BareControlClient.ask(.status(every: nil), at: socket)
      #expect(status.first == .serving(process: UInt32(cgs_process_id()), generation: 1))
      guard case .failed(let reason)? = try BareControlClient.ask(.restart, at: socket).last else {
        Issue.record("a restart of a program that is not there")
        return [ControlAnswer]()
      }
      #expect(reason.contains("/nonexistent"))
      // A successor takes over, and is not ready yet: a client that asks for a stop now means the process that will serve.
      var successor: BareControlClient? = try BareControlClient(socket)
      successor?.send(Preamble(purpose: .handover, program: "x").encoded)
      while successor?.hasHeard == false, ContinuousClock.now < deadline {}
      #expect(try BareControlClient.ask(.status(every: nil), at: socket).last == .whole)
      #expect(try BareControlClient.ask(.stop(.init()), at: socket).last?.refusal == .busy)
      #expect(shop.snapshot().state == .running)
      // It goes, and now this one is to be stopped.
      successor = nil
      var answers: [ControlAnswer] = []
      while answers.isEmpty || answers.last?.refusal == .busy, ContinuousClock.now < deadline {
        answers = try BareControlClient.ask(.stop(.init()), at: socket)
      }
      return answers
    }
    #expect(await report.exitCode == 0)
    if case .stopped(exitCode: 0, _) = answers.last {} else { Issue.record("\(answers)") }
  }
}
