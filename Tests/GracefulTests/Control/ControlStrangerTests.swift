import CGracefulSystem
import Foundation
import Graceful
import GracefulDescriptors
import GracefulHandover
import GracefulTriggers
import Logging
import Synchronization
import SystemPackage
import TestHost
import Testing

/// Bad input, real sockets.
@Suite("Strangers at a control socket", .exclusive(.controlThreads), .serialized, .timeLimit(.minutes(2)))
struct ControlStrangerTests {
  @Test("answers strangers, and serves on: silence, noise, another version, a second request, floods")
  func strangers() async throws {
    let place = try ControlPlace()
    let socket = place.socket
    let leave = try Trigger.control(socket: socket).listen { _ in Issue.record("nobody asked for a stop") }
    defer { leave() }
    try await ControlStage.blocking {
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
    let place = try ControlPlace()
    let socket = place.socket
    let leave = try Trigger.control(socket: socket).listen { _ in }
    defer { leave() }
    try await ControlStage.blocking {
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
    let place = try ControlPlace()
    let other = ControlStage.program()
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
      let shop = ControlStage.program()
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
      let place = try ControlPlace()
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
      calls.peer = {
        fails()
          ? .failure(SystemError(operation: "getsockopt", subject: "x", errno: .badFileDescriptor)) : live.peer($0)
      }
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
        try await ControlStage.blocking {
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
}
