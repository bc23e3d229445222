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
import Testing
import WholeMachine

/// Real sockets, in this very process.
@Suite("A control socket", .wholeMachine, .serialized, .timeLimit(.minutes(2)))
struct ControlSocketTests {
  private final class Place: Sendable {
    let directory: String
    var socket: String { directory + "/s" }

    init() throws {
      directory = FileManager.default.temporaryDirectory.path + "/gc-\(UInt32.random(in: .min ... .max))"
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }
  }

  private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  /// A program that stops when it is told to, and lets sessions end before.
  private func program(_ grace: Duration = .seconds(20)) -> Lifecycle {
    let shop = Lifecycle("shop", grace: grace, logger: Self.logger)
    shop.phase("web", limit: .seconds(5)) { phase in
      phase.ready()
      await phase.turnToStop()
    }
    return shop
  }

  /// Asks on a thread of its own: these clients block.
  private func blocking<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { done in
      Thread.detachNewThread { done.resume(with: Swift.Result { try body() }) }
    }
  }

  @Test("shows the state and the plan, and answers a stop only when it has ended")
  func whole() async throws {
    let place = try Place()
    let socket = place.socket
    let shop = program()
    async let report = shop.run(on: .control(socket: socket))
    let answers = try await blocking {
      while (try? BareControlClient(socket)) == nil {}
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
    #expect(await report.request == StopRequest(who: .control, why: "a test (\(who))"))
    #expect(answers.contains(.accepted))
    guard case .stopped(exitCode: 0, let summary) = answers.last else {
      Issue.record("\(answers)")
      return
    }
    #expect(summary.contains("exit 0: clean"))
    #expect(!FileManager.default.fileExists(atPath: socket))
  }

  @Test("tells the progress of a stop, and to whoever watches, until the end")
  func progress() async throws {
    let place = try Place()
    let socket = place.socket
    let shop = program()
    let (hold, release) = AsyncStream<Void>.makeStream()
    shop.phase("slow") { phase in
      phase.ready()
      await phase.turnToStop()
      for await _ in hold { break }
    }
    async let report = shop.run(on: .control(socket: socket))
    let (stop, watch) = try await blocking {
      while (try? BareControlClient(socket)) == nil {}
      let watcher = try BareControlClient(socket)
      watcher.ask(.status(every: .milliseconds(50)))
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
      return (stop.answers, watch.answers)
    }
    #expect(await report.exitCode == 0)
    if case .stopped(exitCode: 0, _) = stop.last {} else { Issue.record("\(stop.last.map { "\($0)" } ?? "")") }
    #expect(watch.documents.contains { $0.contains("\"running\"") || $0.contains("\"starting\"") })
    let schema = try SchemaChecker("lifecycle-snapshot-1")
    for document in watch.documents + stop.documents { #expect(try schema.problems(inText: document) == []) }
  }

  @Test("cancels at once when that is asked for")
  func now() async throws {
    let place = try Place()
    let socket = place.socket
    let shop = Lifecycle("shop", grace: .seconds(60), logger: Self.logger)
    shop.phase("web") { phase in
      phase.ready()
      // Ends when it is cancelled, and at nothing else.
      for await _ in AsyncStream<Never>.makeStream().stream {}
    }
    async let report = shop.run(on: .control(socket: socket))
    let answers = try await blocking {
      while (try? BareControlClient(socket)) == nil {}
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
    let place = try Place()
    let socket = place.socket
    let asked = Mutex<[StopRequest]>([])
    let leave = try Trigger.control(socket: socket).listen { request in asked.withLock { $0.append(request) } }
    try await blocking {
      #expect(try BareControlClient.ask(.status(every: nil), at: socket).last?.refusal == .impossible)
      let client = try BareControlClient(socket)
      client.ask(.stop(.init(progress: .milliseconds(50))))
      #expect(try client.answers { $0.last == .accepted }.answers.last == .accepted)
    }
    #expect(asked.withLock { $0 }.map(\.who) == [.control])
    leave()
    #expect(!FileManager.default.fileExists(atPath: socket))
  }

  // MARK: Bad input

  @Test("answers strangers, and serves on: silence, noise, another version, a second request, floods")
  func strangers() async throws {
    let place = try Place()
    let socket = place.socket
    let leave = try Trigger.control(socket: socket).listen { _ in Issue.record("nobody asked for a stop") }
    defer { leave() }
    try await blocking {
      let greeting = BareControlClient.greeting
      let cases: [(String, [UInt8], [Message.Refusal], [ControlAnswer.Refusal])] = [
        ("noise", Array("GET / HTTP/1.1\r\n\r\n".utf8), [.malformed], []),
        ("another version", Preamble(version: 9, purpose: .control, program: "x").encoded, [.unknownVersion], []),
        ("a handover", Preamble(purpose: .handover, program: "x").encoded, [.unknownPurpose], []),
        ("half a preamble, then silence", Array(greeting.prefix(9)), [.malformed], []),
        ("a greeting, then silence", greeting, [], [.malformed]),
        ("an unknown request", greeting + Frame(type: 79).encoded, [], [.unknownRequest]),
        ("a request that is cut", greeting + Frame(type: 65, payload: [1]).encoded, [], [.malformed]),
        ("a frame of 2^32-1 bytes", greeting + [0, 65, 0, 0, 255, 255, 255, 255], [], [.malformed]),
        ("a second preamble", greeting + greeting, [], [.malformed]),
        ("a message of a handover", greeting + Frame(.ready).encoded, [], [.unknownRequest]),
      ]
      for (name, bytes, refusals, answers) in cases {
        let client = try BareControlClient(socket)
        client.send(bytes)
        let heard = try client.answers()
        #expect(heard.ended, "\(name)")
        #expect(heard.refusals == refusals, "\(name)")
        #expect(heard.answers.compactMap(\.refusal) == answers, "\(name): \(heard.answers)")
      }
      // One who sends without an end, and reads nothing.
      let flood = try BareControlClient(socket)
      let frames = greeting + (0..<2000).flatMap { _ in Frame(type: 79).encoded }
      for _ in 0..<200 where flood.send(frames) > 0 {}
      // More than may be there at once.
      let crowd = (0..<60).compactMap { _ in try? BareControlClient(socket) }
      for client in crowd { client.send(greeting) }
      var answered = false
      let deadline = ContinuousClock.now + .seconds(20)
      while !answered, ContinuousClock.now < deadline {
        answered = (try? BareControlClient.ask(.plan, at: socket).last?.refusal) == .impossible
      }
      #expect(answered)
      _ = flood
      _ = crowd
    }
  }

  @Test("never traps, and serves on after 300 random peers")
  func fuzz() async throws {
    let place = try Place()
    let socket = place.socket
    let leave = try Trigger.control(socket: socket).listen { _ in }
    defer { leave() }
    try await blocking {
      var seed: UInt64 = 0x6675_7a7a
      func next(_ bound: Int) -> Int {
        seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(seed >> 33) % bound
      }
      for _ in 0..<300 {
        guard let client = try? BareControlClient(socket) else { continue }
        var bytes = next(4) == 0 ? [] : BareControlClient.greeting
        let noise = (0..<next(60)).map { _ in UInt8(next(256)) }
        bytes += next(2) == 0 ? noise : Frame(type: UInt16(60 + next(32)), payload: noise).encoded
        if next(3) == 0, !bytes.isEmpty { bytes[next(bytes.count)] = UInt8(next(256)) }
        client.send(bytes)
      }
      let deadline = ContinuousClock.now + .seconds(20)
      var refusal: ControlAnswer.Refusal?
      while refusal != .impossible, ContinuousClock.now < deadline {
        refusal = try? BareControlClient.ask(.restart, at: socket).last?.refusal
      }
      #expect(refusal == .impossible)
    }
  }

  @Test("a path that cannot be used is a mistake of the configuration that says what to do")
  func paths() async throws {
    let place = try Place()
    let other = program()
    try Data().write(to: URL(fileURLWithPath: place.directory + "/file"))
    try FileManager.default.createDirectory(
      atPath: place.directory + "/open", withIntermediateDirectories: false, attributes: [.posixPermissions: 0o777])
    let leave = try Trigger.control(socket: place.socket).listen { _ in }
    for (path, words) in [
      ("", "give a path"), ("/" + String(repeating: "x", count: 150), "choose a shorter one"),
      (place.directory + "/file", "regular file"), (place.directory + "/none/s", "mkdir"),
      (place.directory + "/open/s", "can be written to by others"),
      (place.socket, "process \(cgs_process_id()) answers at"),
    ] {
      let shop = program()
      let report = await shop.run(on: .control(socket: path))
      #expect(report.exitCode == 78)
      #expect(report.mistakes.first?.description.contains(words) == true, "\(path): \(report.mistakes)")
    }
    leave()
    // What is left over is replaced.
    let stale = SharedDescriptor(OwnedDescriptor(adopting: .init(rawValue: SocketCalls.live.unixSocket())))
    #expect(SocketCalls.live.bind(stale.number, place.directory + "/stale") >= 0)
    other.requestStop()
    #expect(await other.run(on: .control(socket: place.directory + "/stale")).exitCode == 0)
  }

  @Test("of whose calls one fails, it is a mistake or it serves; nothing hangs")
  func failingCalls() async throws {
    for failing in 0..<8 {
      let place = try Place()
      let loop = try PollLoop(name: "failing")
      let counter = Mutex(0)
      let fails: @Sendable () -> Bool = {
        counter.withLock { count in
          defer { count += 1 }
          return count == failing
        }
      }
      var calls = SocketCalls.live
      let live = SocketCalls.live
      calls.unixSocket = { fails() ? -24 : live.unixSocket() }
      calls.bind = { fails() ? -13 : live.bind($0, $1) }
      calls.listen = { fails() ? -12 : live.listen($0, $1) }
      calls.openPrivate = { fails() ? -13 : live.openPrivate($0) }
      calls.tryLock = { fails() ? -11 : live.tryLock($0) }
      calls.accept = { fails() ? -24 : live.accept($0) }
      calls.peer = { fails() ? .failure(SystemError(operation: "getsockopt", subject: "x", errno: .badFileDescriptor)) : live.peer($0) }
      calls.peerProcess = { fails() ? -92 : live.peerProcess($0) }
      let admitted = Mutex<[ControlConnection]>([])
      let opened: ControlSocket?
      do throws(HandoverError) {
        opened = try ControlSocket.open(
          place.socket, program: "test", on: loop, calls: calls, wait: {}, refused: { _, _ in },
          admit: { connection in admitted.withLock { $0.append(connection) } })
      } catch {
        #expect(error.reason.count > 20)
        opened = nil
      }
      let socket = place.socket
      if opened != nil {
        // One may be lost to the failing call, and is closed then; the next one is served.
        try await blocking {
          let deadline = ContinuousClock.now + .seconds(20)
          while admitted.withLock({ $0.isEmpty }), ContinuousClock.now < deadline {
            let client = try BareControlClient(socket)
            client.send(BareControlClient.greeting)
            _ = try client.answers(within: .milliseconds(200))
          }
        }
        #expect(!admitted.withLock { $0.isEmpty }, "call \(failing)")
      }
      opened?.close()
      #expect(!FileManager.default.fileExists(atPath: socket) || opened == nil)
      loop.stop()
    }
  }

  @Test("a handover's socket answers in every generation, sends a stop on while a handover goes on, and restarts")
  func generations() async throws {
    let place = try Place()
    let socket = place.socket
    let shop = Lifecycle("shop", grace: .seconds(20), logger: Self.logger)
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
    let answers = try await blocking {
      let deadline = ContinuousClock.now + .seconds(20)
      var serving = false
      while !serving, ContinuousClock.now < deadline {
        serving = (try? BareControlClient.ask(.status(every: nil), at: socket).documents.first?.contains("\"running\"")) == true
      }
      let status = try BareControlClient.ask(.status(every: nil), at: socket)
      #expect(status.first == .serving(process: UInt32(cgs_process_id()), generation: 1))
      guard case .failed(let reason)? = try BareControlClient.ask(.restart, at: socket).last else {
        Issue.record("a restart of a program that is not there")
        return [ControlAnswer]()
      }
      #expect(reason.contains("/nonexistent"))
      // Somebody takes over, and is not ready yet: whoever asks for a stop now means the one that will serve.
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
