import TestHost
import GracefulDescriptors
import Synchronization
import SystemPackage
import Testing

@testable import GracefulHandover

@Suite("Strangers at the handover socket", .serialized, .timeLimit(.minutes(2)))
struct StrangerTests {
  private let greeting = Preamble(purpose: .handover, program: "stranger").encoded

  /// What the process that serves answers, until it closes.
  private func answer(_ stage: Stage, to bytes: [UInt8]) async throws -> [Message] {
    let client = try stage.client()
    var sent = bytes[...]
    var decoder = FrameDecoder()
    var messages: [Message] = []
    try await poll {
      if !sent.isEmpty {
        let count = SocketCalls.live.send(client.number, sent, [])
        // It may close before it has all: that is an answer as well.
        sent = count > 0 ? sent.dropFirst(count) : (count == -Int(Errno.wouldBlock.rawValue) ? sent : [])
      }
      let received = SocketCalls.live.receive(client.number, 65_536)
      decoder.append(received.bytes)
      for case .frame(let frame) in try decoder.all() {
        if case .message(let message)? = frame.message() { messages.append(message) }
      }
      return received.result == 0 || received.result == -Int(Errno.connectionReset.rawValue)
    }
    return messages
  }

  @Test("each is answered and cut off, and the next real successor is served")
  func refused() async throws {
    let stage = try Stage()
    let first = try await stage.join("a") { $0.greeting = .seconds(1) }
    try await first.ready()
    let cases: [(String, [UInt8], Message.Refusal)] = [
      ("silence", [], .malformed),
      ("half a preamble", Array(greeting.prefix(9)), .malformed),
      ("garbage", Array("GET / HTTP/1.1\r\n\r\n".utf8), .malformed),
      ("2^32-1 bytes of text", Preamble.magic + [0, 1, 0, 1, 255, 255, 255, 255], .malformed),
      ("another version", Preamble(version: 9, purpose: .handover, program: "x").encoded, .unknownVersion),
      ("control", Preamble(purpose: .control, program: "x").encoded, .unknownPurpose),
      ("purpose 77", Preamble(purpose: .init(rawValue: 77), program: "x").encoded, .unknownPurpose),
    ]
    for (name, bytes, refusal) in cases {
      let told = stage.events(of: "a").count
      let answer = try await answer(stage, to: bytes)
      #expect(answer.count == 1, "\(name)")
      guard case .refused(refusal, let reason)? = answer.first else {
        Issue.record("\(name): \(answer)")
        continue
      }
      #expect(!reason.isEmpty)
      #expect(stage.events(of: "a").count == told + 1, "\(name) is told")
    }
    let second = try await stage.serve("b")
    #expect(second.handover.generation == 2)
    #expect(stage.kills == 0)
    await second.handover.leave()
  }

  @Test("one that began a handover and then sends noise is given up, and killed when it does not let go")
  func noiseInTheOffer() async throws {
    for noise in [
      [0, 9, 0, 0, 255, 255, 255, 255],  // A frame of 2^32-1 bytes.
      Frame(type: 9, payload: [1]).encoded,  // An abort without a text.
      Frame(.commit).encoded,  // A message that is not its own.
      (0..<5000).flatMap { _ in Frame(type: 300).encoded },
    ] as [[UInt8]] {
      let stage = try Stage()
      let first = try await stage.join("a") { $0.letGo = .milliseconds(100) }
      try await first.ready()
      let answer = try await answer(stage, to: greeting + noise)
      #expect(answer.first == .welcome(process: UInt32(ThisProcess.number), generation: 1, descriptors: 1))
      #expect(answer.contains { if case .abort = $0 { true } else { false } })
      #expect(answer.count { if case .unknown = $0 { true } else { false } } < 16)
      try await poll { stage.kills == 1 }
      let second = try await stage.serve("b")
      #expect(second.handover.generation == 2)
      await second.handover.leave()
    }
  }

  @Test("one that lets go when it is told to is not killed")
  func letsGo() async throws {
    let stage = try Stage()
    let first = try await stage.join("a") { $0.letGo = .seconds(10) }
    try await first.ready()
    let before = stage.ledger.open.count
    do {
      let client = try stage.client()
      _ = SocketCalls.live.send(client.number, (greeting + [0, 9, 0, 0, 255, 255, 255, 255])[...], [])
      try await stage.wait(for: "a") { $0.kind == .successorGivenUp }
      #expect(stage.ledger.open.count > before)
    }
    // Its end is seen long before it would be killed.
    try await poll { stage.ledger.open.count == before }
    #expect(stage.kills == 0)
    await first.handover.leave()
  }

  @Test("forty who connect and say nothing keep no successor away for longer than the greeting's limit")
  func crowd() async throws {
    let stage = try Stage()
    let first = try await stage.join("a") { $0.greeting = .milliseconds(300) }
    try await first.ready()
    let crowd = try (0..<40).map { _ in try stage.client() }
    var second: Generation?
    try await poll {
      do { second = try await stage.serve("b") } catch let error as HandoverError { #expect(error.code == .refused) }
      return second != nil
    }
    #expect(crowd.count == 40)
    await second?.handover.leave()
  }

  @Test("forty who connect and say nothing, and may be silent for long, keep neither a successor away nor a command")
  func patientCrowd() async throws {
    let stage = try Stage()
    let asked = Shared(Atomic(0))
    var configuration = stage.configuration("a") { $0.greeting = .seconds(600) }
    configuration.control = { _ in asked.value.wrappingAdd(1, ordering: .relaxed) }
    let first = Generation(try await Handover.join(configuration))
    try await first.ready()
    let crowd = try (0..<40).map { _ in try stage.client() }
    let command = try stage.client()
    _ = SocketCalls.live.send(command.number, Preamble(purpose: .control, program: "x").encoded[...], [])
    try await poll { asked.value.load(ordering: .relaxed) == 1 }
    let second = try await stage.serve("b")
    #expect(second.handover.generation == 2)
    #expect(crowd.count == 40)
    await second.handover.leave()
  }

  // MARK: A live server of another kind

  @Test("a server of another kind is told from a predecessor, within the limit, and left alone")
  func foreign() async throws {
    // The limit, longer where something else must be seen before it.
    let (short, some, long) = (Duration.milliseconds(300), Duration.seconds(3), Duration.seconds(20))
    let cases: [(ForeignServer.Manner, Duration, HandoverError.Code, String)] = [
      (.silent, short, .timedOut, "said nothing within 0.3 seconds"),
      (.says(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)), long, .foreign, "does not speak this protocol"),
      (.says(greeting), some, .timedOut, "made no offer within 3.0 seconds"),
      (.says(greeting + [0, 2, 0, 0, 255, 255, 255, 255]), long, .foreign, "announces 4294967295 bytes"),
      (.says(Preamble(version: 7, purpose: .handover, program: "x").encoded), long, .refused, "version 7"),
      (.floods(greeting, Frame(type: 300).encoded), long, .foreign, "frames of types that are not known"),
      (.closes, some, .timedOut, "could not be had within 3.0 seconds"),
    ]
    for (manner, limit, code, words) in cases {
      let stage = try Stage()
      let server = try ForeignServer(at: stage.socket, manner)
      let start = ContinuousClock.now
      let error = await #expect(throws: HandoverError.self) {
        _ = try await stage.join("a") { $0.offer = limit }
      }
      #expect(error?.code == code, "\(manner)")
      #expect(error?.reason.contains(words) == true, "\(error?.reason ?? "")")
      #expect(error?.reason.contains(stage.socket) == true)
      #expect(ContinuousClock.now - start < .seconds(10))
      #expect(server.isListening, "the live path is never unlinked")
      await stage.ledger.expectAllClosed()
      server.stop()
    }
  }
}

/// Something else that listens at a Unix path.
final class ForeignServer: Sendable {
  enum Manner: Sendable {
    case silent, closes
    case says([UInt8])
    /// Sends the first, then the second again and again, and reads nothing.
    case floods([UInt8], [UInt8])
  }

  private let loop: PollLoop
  private let listener: SharedDescriptor
  private let path: String
  private let accepted = Mutex<[SharedDescriptor]>([])

  init(at path: String, _ manner: Manner) throws {
    self.path = path
    loop = try PollLoop(name: "foreign")
    listener = SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: SocketCalls.live.unixSocket())))
    guard SocketCalls.live.bind(listener.number, path) >= 0, SocketCalls.live.listen(listener.number, 64) >= 0 else {
      throw Unexpected()
    }
    _ = loop.watch(listener.number, .readable) { [weak self] _ in self?.accept(manner) }
  }

  var isListening: Bool {
    let probe = SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: SocketCalls.live.unixSocket())))
    return SocketCalls.live.connect(probe.number, path) >= 0
  }

  func stop() { loop.stop() }

  private func accept(_ manner: Manner) {
    let number = SocketCalls.live.accept(listener.number)
    guard number >= 0 else { return }
    let socket = SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: number)))
    switch manner {
    case .silent: break
    case .closes: return
    case .says(let bytes): _ = SocketCalls.live.send(number, bytes[...], [])
    case .floods(let first, let again):
      _ = SocketCalls.live.send(number, first[...], [])
      let many = (0..<500).flatMap { _ in again }
      for _ in 0..<20 { _ = SocketCalls.live.send(number, many[...], []) }
    }
    accepted.withLock { $0.append(socket) }
  }
}
