import TestHost
import Foundation
import GracefulDescriptors
import Synchronization
import SystemPackage
import Testing

@testable import GracefulHandover

@Suite("What is shared with another process", .serialized, .timeLimit(.minutes(2)))
struct SharedDescriptionTests {
  private let greeting = Preamble(purpose: .handover, program: "rogue").encoded

  /// Plays a successor: takes the offer, does something with what it was given, withdraws and goes.
  private func rogue(_ stage: Stage, _ deed: (Int32) -> Void) async throws {
    let client = try stage.client()
    _ = SocketCalls.live.send(client.number, greeting[...], [])
    var decoder = FrameDecoder()
    var given: [SharedDescriptor] = []
    var isOffered = false
    try await poll {
      let received = SocketCalls.live.receive(client.number, 65_536)
      given += received.descriptors.map { SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: $0))) }
      decoder.append(received.bytes)
      for case .frame(let frame) in try decoder.all() where frame.message() == .message(.offered) { isOffered = true }
      return isOffered
    }
    for descriptor in given { deed(descriptor.number) }
    _ = SocketCalls.live.send(client.number, Frame(.abort("sorry")).encoded[...], [])
  }

  private func blocks(_ number: Int32) -> Bool { fcntl(number, F_GETFL) & O_NONBLOCK == 0 }

  @Test("blocks no thread of this process when a successor makes it block and goes")
  func blocking() async throws {
    let stage = try Stage()
    let first = try await stage.serve("a")
    let listener = try #require(first.listener).number
    try await rogue(stage) { number in
      let flags = fcntl(number, F_GETFL)
      _ = fcntl(number, F_SETFL, flags & ~O_NONBLOCK)
      var none = timeval()
      setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &none, socklen_t(MemoryLayout<timeval>.size))
    }
    try await stage.wait(for: "a") { $0.kind == .successorFailed }
    try await poll { !blocks(listener) }
    // Peers that come and go, one after the other: each is accepted, and none is waited for.
    for _ in 0..<5 { _ = try stage.client() }
    let second = try await stage.serve("b")
    #expect(second.handover.generation == 2)
    #expect(second.inode == first.inode)
    await second.handover.leave()
  }

  @Test("listens again at its port when a successor has ended its listening and goes")
  func listenerShutDown() async throws {
    let stage = try Stage()
    let first = try await stage.join("a")
    // A port of its own choice, which the system keeps for a socket that listens no more; of port 0 it does not.
    let free = try ListenAddress(host: "127.0.0.1", port: 0).listen()
    let address = try ListenAddress(of: free)
    free.close()
    try first.listen("http", on: "\(address)")
    try await first.ready()
    try await rogue(stage) { number in
      if (try? SocketKind(of: number))?.family == .other { #expect(shutdown(number, Int32(SHUT_RDWR)) == 0) }
    }
    try await stage.wait(for: "a") { $0.kind == .successorFailed }
    let listener = try #require(first.listener).number
    try await poll { (try? SocketKind(of: listener))?.isListening == true }
    _ = try connectTCP(port: address.port)
    let second = try await stage.join("b")
    try second.listen("http", on: "\(address)")
    #expect(second.inode == first.inode)
    try await second.ready()
    await second.handover.leave()
  }

  @Test("is made anew when it is the handover socket, and a successor has ended its listening", arguments: [0, 2])
  func handoverSocketShutDown(how: Int32) async throws {
    let stage = try Stage()
    let first = try await stage.serve("a")
    try await rogue(stage) { number in
      if (try? SocketKind(of: number))?.family == .unix { #expect(shutdown(number, how) == 0) }
    }
    try await stage.wait(for: "a") { $0.kind == .socketMadeAnew }
    let second = try await stage.serve("b")
    #expect(second.handover.generation == 2)
    await second.handover.leave()
    await first.handover.leave()
  }

  // MARK: What is inherited

  private func join(
    _ stage: Stage, _ offer: ScriptedPredecessor.Offer
  ) async throws -> (ScriptedPredecessor, Generation) {
    let predecessor = try ScriptedPredecessor(at: stage.socket, offer)
    return (predecessor, try await stage.join("b"))
  }

  @Test(
    "is refused as a handover socket when it is none: a pipe, a device, a TCP listener, a socket that does not listen")
  func noHandoverSocket() async throws {
    let zero = open("/dev/zero", O_RDONLY | O_CLOEXEC)
    let candidates = [
      try Pipes(1).readers[0],
      SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: zero))),
      SharedDescriptor(try ListenAddress(host: "127.0.0.1", port: 0).listen()),
      SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: SocketCalls.live.unixSocket()))),
    ]
    for candidate in candidates {
      let stage = try Stage()
      let predecessor = try ScriptedPredecessor(at: stage.socket, .init(socket: candidate))
      let error = await #expect(throws: HandoverError.self) { _ = try await stage.join("b") }
      #expect(error?.code == .foreign)
      predecessor.stop()
    }
  }

  @Test("is not taken for a listener when it is none: UDP, a pipe, a connected socket; it is bound anew, and told")
  func noListener() async throws {
    let udp = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(udp, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    #expect(bound == 0)
    let listening = try ListenAddress(host: "127.0.0.1", port: 0).listen()
    let connected = try connectTCP(port: try ListenAddress(of: listening).port)
    let candidates = [
      SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: udp))), try Pipes(1).readers[0], connected,
    ]
    for candidate in candidates {
      let stage = try Stage()
      let (predecessor, second) = try await join(stage, .init(others: [("http", candidate)]))
      try second.listen("http")
      #expect(stage.events(of: "b").contains(.unclaimed(["http"])))
      #expect((try? SocketKind(of: try #require(second.listener).number))?.isListening == true)
      try await second.ready()
      await second.handover.leave()
      predecessor.stop()
    }
    listening.close()
  }

  @Test("is made non-blocking when it was inherited as it is, the handover socket and the listener")
  func inheritedBlocking() async throws {
    let stage = try Stage()
    let listener = SharedDescriptor(try ListenAddress(host: "127.0.0.1", port: 0).listen())
    let predecessor = try ScriptedPredecessor(at: stage.socket, .init(others: [("http", listener)]))
    for number in [listener.number, predecessor.socket.number] {
      _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) & ~O_NONBLOCK)
    }
    let second = try await stage.join("b")
    try second.listen("http")
    try await second.ready()
    #expect(!blocks(listener.number))
    for _ in 0..<5 { _ = try stage.client() }
    let third = try await stage.serve("c")
    #expect(third.handover.generation == 3)
    await third.handover.leave()
    predecessor.stop()
  }

  // MARK: Numbers, and descriptors that were not asked for

  @Test("The highest generation that can be said is taken over from, and its successor is taken over from in turn")
  func highestGeneration() async throws {
    let stage = try Stage()
    let (predecessor, second) = try await join(stage, .init(generation: .max))
    try await second.ready()
    #expect(second.handover.generation == Int(UInt32.max) + 1)
    let third = try await stage.serve("c")
    #expect(third.handover.generation >= Int(UInt32.max))
    await third.handover.leave()
    predecessor.stop()
  }

  /// How many descriptors of this process stand for what that one stands for.
  private func copies(of descriptor: SharedDescriptor) throws -> Int {
    let target = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor.number)")
    return try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count {
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == target
    }
  }

  @Test("Descriptors from a peer that is to send none are never open here, and the peer goes at once")
  func unaskedFromAPeer() async throws {
    let stage = try Stage()
    let first = try await stage.join("a") { $0.greeting = .seconds(600) }
    try await first.ready()
    let pipes = try Pipes(1)
    let client = try stage.client()
    let many = [Int32](repeating: pipes.readers[0].number, count: 253)
    _ = SocketCalls.live.send(client.number, Array("G".utf8)[...], many)
    try await stage.wait(for: "a") { $0.kind == .peerRefused && $0.reason?.contains("nobody asked for") == true }
    #expect(try copies(of: pipes.readers[0]) == 1)
    let second = try await stage.serve("b")
    await second.handover.leave()
  }

  @Test("Descriptors from a predecessor that has announced none are closed on receipt, and the handover fails")
  func unaskedFromAPredecessor() async throws {
    let stage = try Stage()
    let pipes = try Pipes(1)
    let predecessor = try ScriptedPredecessor(at: stage.socket, .init(before: pipes.inTurn(253)))
    let error = await #expect(throws: HandoverError.self) { _ = try await stage.join("b") }
    #expect(error?.code == .foreign)
    try await poll { try copies(of: pipes.readers[0]) == 1 }
    predecessor.stop()
  }
}
