import TestHost
import CGracefulSystem
import GracefulDescriptors
import GracefulTesting
import Synchronization
import SystemPackage
import Testing

@testable import GracefulHandover

@Suite("A frame connection that writes", .serialized)
struct FrameConnectionWritingTests {
  private static let big = Frame(type: 300, payload: [UInt8](repeating: 7, count: Frame.payloadLimit)).encoded

  /// Reads what there is at the other end.
  ///
  /// - Returns: whether the stream has ended.
  @discardableResult
  private func drain(_ pair: ConnectedPair, into bytes: inout [UInt8]) -> Bool {
    while true {
      let received = SocketCalls.live.receive(pair.other.number, 65_536)
      guard received.result > 0 else { return received.result == 0 }
      bytes += received.bytes
    }
  }

  @Test("waits for a peer that does not read, and sends all in order when it does")
  func backpressure() async throws {
    let pair = try await ConnectedPair()
    await pair.onLoop { connection in
      for _ in 0..<40 { connection.send(Self.big) }
      connection.send(.released)
    }
    var bytes: [UInt8] = []
    let expected = 40 * Self.big.count + Frame.headerLength
    try await poll {
      drain(pair, into: &bytes)
      return bytes.count >= expected
    }
    #expect(bytes.count == expected)
    #expect(Array(bytes.suffix(8)) == Frame(.released).encoded)
    await pair.end()
  }

  @Test("closes when all is sent, and not before")
  func closesAfterSending() async throws {
    let pair = try await ConnectedPair()
    // On a thread of its own: the pool may be busy for longer than the second that there is after the close.
    let reading = try PollLoop(name: "reader")
    defer { reading.stop() }
    let count = Shared(Atomic(0))
    let ended = Shared(Atomic(false))
    let other = pair.other
    await pair.onLoop { connection in
      for _ in 0..<10 { connection.send(Self.big) }
      _ = reading.watch(other.number, .readable) { _ in
        let received = SocketCalls.live.receive(other.number, 65_536)
        if received.result == 0 { ended.value.store(true, ordering: .relaxed) }
        if received.result > 0 { count.value.wrappingAdd(received.result, ordering: .relaxed) }
      }
      connection.close()
      connection.send(.released)
    }
    try await poll { ended.value.load(ordering: .relaxed) }
    let all = count.value.load(ordering: .relaxed)
    #expect(all == 10 * Self.big.count, "all, and nothing of what was sent after the close")
    await pair.end()
  }

  @Test("gives a peer up that does not read for a second after the close")
  func givesUp() async throws {
    let pair = try await ConnectedPair()
    let start = ContinuousClock.now
    await pair.onLoop { connection in
      for _ in 0..<40 { connection.send(Self.big) }
      connection.close()
    }
    #expect(!pair.ledger.open.isEmpty)
    await pair.ledger.expectAllClosed()
    #expect(ContinuousClock.now - start >= .milliseconds(900))
    await pair.end()
  }

  @Test("keeps a descriptor open until it is sent, although its owner has let go of it")
  func holdsDescriptors() async throws {
    let pair = try await ConnectedPair()
    var pipes: Pipes? = try Pipes(1)
    let inode = try #require(pipes.flatMap { Pipes.inode($0.readers[0]) })
    if let reader = pipes?.readers[0] {
      await pair.onLoop { connection in
        for _ in 0..<40 { connection.send(Self.big) }
        connection.send(.descriptors([DescriptorLabel(name: "a")]), [reader])
      }
    }
    pipes = nil
    var found: [UInt64] = []
    try await poll {
      let received = SocketCalls.live.receive(pair.other.number, 65_536)
      for number in received.descriptors {
        if case .success(let status) = SocketCalls.live.descriptorStatus(number) { found.append(status.inode) }
        _ = cgs_close(number)
      }
      return !found.isEmpty
    }
    #expect(found == [inode])
    await pair.end()
  }

  @Test("tries again when the system says that it would block")
  func wouldBlock() async throws {
    let failing = FailingSystemCalls(call: 1, of: .send, with: .wouldBlock)
    let pair = try await ConnectedPair { $0 = failing.wrapping($0) }
    await pair.onLoop { $0.send(.ready) }
    var bytes: [UInt8] = []
    try await poll {
      drain(pair, into: &bytes)
      return bytes == Frame(.ready).encoded
    }
    #expect(failing.hasFailed)
    await pair.end()
  }

  @Test(
    "leaves a broken pipe to the reader, after what the peer had said", arguments: [Errno.brokenPipe, .connectionReset])
  func broken(errno: Errno) async throws {
    let failing = FailingSystemCalls(call: 1, of: .send, with: errno)
    let pair = try await ConnectedPair { $0 = failing.wrapping($0) }
    await pair.onLoop { $0.send(.ready) }
    try await pair.write(Preamble(purpose: .handover, program: "test").encoded + Frame(.abort("bye")).encoded)
    pair.endOther()
    try await poll { pair.hasEnded }
    #expect(pair.reasons.isEmpty)
    #expect(pair.frames.map(\.frame) == [Frame(.abort("bye"))])
    await pair.end()
  }

  @Test("reports an error of sending descriptors", arguments: [Errno.tooManyReferences, .badFileDescriptor])
  func sendFails(errno: Errno) async throws {
    let failing = FailingSystemCalls(call: 1, of: .send, with: errno)
    let pair = try await ConnectedPair { $0 = failing.wrapping($0) }
    let pipes = try Pipes(1)
    await pair.onLoop { $0.send(.descriptors([DescriptorLabel(name: "a")]), pipes.readers) }
    try await poll { !pair.reasons.isEmpty }
    #expect(pair.reasons == ["sendmsg failed: \(errno)"])
    await pair.end()
  }

  @Test("loses no message to want of memory", arguments: [Errno.noMemory, .noBufferSpace])
  func noMemory(errno: Errno) async throws {
    let failing = FailingSystemCalls(call: 1, of: .send, with: errno)
    let pair = try await ConnectedPair { $0 = failing.wrapping($0) }
    await pair.onLoop { connection in
      connection.send(.acknowledge)
      connection.send(.ready)
    }
    var bytes: [UInt8] = []
    try await poll {
      drain(pair, into: &bytes)
      return bytes == Frame(.acknowledge).encoded + Frame(.ready).encoded
    }
    #expect(pair.reasons.isEmpty)
    await pair.end()
  }

  @Test("takes a reset for the end")
  func reset() async throws {
    let failing = FailingSystemCalls(call: 1, of: .receive, with: .connectionReset)
    let pair = try await ConnectedPair { $0 = failing.wrapping($0) }
    try await pair.write([0])
    try await poll { pair.hasEnded }
    await pair.end()
  }

  @Test("takes no other error of receiving for the end, and reads on", arguments: [Errno.noMemory, .ioError])
  func receiveFails(errno: Errno) async throws {
    let failing = FailingSystemCalls(call: 1, of: .receive, with: errno)
    let pair = try await ConnectedPair { $0 = failing.wrapping($0) }
    try await pair.write(Preamble(purpose: .handover, program: "test").encoded + Frame(.released).encoded)
    try await poll { pair.frames.map(\.frame) == [Frame(.released)] }
    #expect(failing.hasFailed)
    #expect(!pair.hasEnded)
    await pair.end()
  }

  @Test("lets everything go although close is called twice, or before it was started")
  func closeTwice() async throws {
    let pair = try await ConnectedPair()
    await pair.onLoop {
      $0.close()
      $0.close()
      $0.send(.ready)
      $0.start()
      $0.watchProcess()
    }
    await pair.end()
    #expect(pair.events.isEmpty)
  }
}
