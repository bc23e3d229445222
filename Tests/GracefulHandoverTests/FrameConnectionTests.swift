import TestHost
import CGracefulSystem
import GracefulDescriptors
import Synchronization
import SystemPackage
import Testing

@testable import GracefulHandover

@Suite("A frame connection", .serialized)
struct FrameConnectionTests {
  private let preamble = Preamble(purpose: .handover, program: "test").encoded

  private func labels(_ count: Int) -> [DescriptorLabel] { (0..<count).map { DescriptorLabel(name: "\($0)") } }

  @Test(
    "brings any number of descriptors, complete, in order and usable",
    arguments: [[0], [1], [252], [253], [252, 252, 96]])
  func descriptors(counts: [Int]) async throws {
    let receiving = try await ConnectedPair()
    let pipes = try Pipes(3)
    try await receiving.write(preamble)
    for count in counts {
      try await receiving.write(Frame(.descriptors(labels(count))).encoded, pipes.inTurn(count).map(\.number))
    }
    try await poll { receiving.frames.count == counts.count }
    for (frame, count) in zip(receiving.frames, counts) {
      #expect(frame.frame == Frame(.descriptors(labels(count))))
      #expect(frame.descriptors.map { Pipes.inode($0) } == pipes.inTurn(count).map { Pipes.inode($0) })
    }
    await receiving.end()
  }

  @Test("sends any number of descriptors so that another connection gets them")
  func sendsDescriptors() async throws {
    let sending = try await ConnectedPair()
    let pipes = try Pipes(2)
    let all = labels(252)
    let descriptors = pipes.inTurn(252)
    await sending.onLoop {
      $0.send(Preamble(purpose: .handover, program: "test").encoded)
      $0.send(.descriptors(all), descriptors)
    }
    let ledger = DescriptorLedger()
    let calls = ledger.wrapping(.live)
    var got = 0
    try await poll {
      let received = calls.receive(sending.other.number, 65_536)
      got += received.descriptors.count
      for number in received.descriptors { _ = cgs_close(number) }
      return got == 252
    }
    #expect(ledger.count == 252)
    await sending.end()
  }

  @Test("knows the descriptors' frame when they come with its first byte alone, or with its last")
  func apart() async throws {
    let pair = try await ConnectedPair()
    let pipes = try Pipes(1)
    let frame = Frame(.descriptors(labels(1))).encoded
    try await pair.write(preamble)
    try await pair.write(Array(frame.prefix(1)), [pipes.readers[0].number])
    await pair.onLoop { _ in }
    try await pair.write(Array(frame.dropFirst()))
    try await poll { pair.frames.count == 1 }
    #expect(pair.frames[0].descriptors.count == 1)

    try await pair.write(Array(frame.dropLast()))
    await pair.onLoop { _ in }
    try await pair.write(Array(frame.suffix(1)), [pipes.readers[0].number])
    try await poll { pair.frames.count == 2 }
    #expect(pair.frames[1].descriptors.count == 1)
    #expect(pair.frames[1].descriptors.map { Pipes.inode($0) } == [Pipes.inode(pipes.readers[0])])
    await pair.end()
  }

  @Test("tells of fewer descriptors than labels by what really came")
  func fewer() async throws {
    let pair = try await ConnectedPair()
    let pipes = try Pipes(1)
    try await pair.write(preamble)
    try await pair.write(Frame(.descriptors(labels(3))).encoded, pipes.inTurn(2).map(\.number))
    try await poll { pair.frames.count == 1 }
    #expect(pair.frames[0].descriptors.count == 2)
    await pair.end()
  }

  @Test("refuses more descriptors than labels, so that none is taken for that of the next label")
  func more() async throws {
    let pair = try await ConnectedPair()
    let pipes = try Pipes(3)
    try await pair.write(preamble)
    try await pair.write(Frame(.descriptors(labels(1))).encoded, pipes.inTurn(2).map(\.number))
    try await poll { !pair.reasons.isEmpty }
    #expect(pair.reasons == ["descriptors that belong to no message"])
    await pair.end()
  }

  @Test("refuses descriptors that come with what takes none", arguments: [Message.ready, .offered, .abort("x")])
  func strays(message: Message) async throws {
    let pair = try await ConnectedPair()
    let pipes = try Pipes(1)
    try await pair.write(preamble)
    try await pair.write(Frame(message).encoded, [pipes.readers[0].number])
    try await poll { !pair.reasons.isEmpty }
    await pair.end()
  }

  @Test("refuses to hoard descriptors for a frame that does not become complete")
  func hoard() async throws {
    let pair = try await ConnectedPair()
    let pipes = try Pipes(1)
    try await pair.write(preamble + [0, 3, 0, 0, 0, 1, 0, 0])
    // The answer closes the other end's way in, at some point.
    for _ in 0..<10 where pair.reasons.isEmpty {
      try await pair.write([0], pipes.inTurn(253).map(\.number))
      await pair.onLoop { _ in }
    }
    try await poll { !pair.reasons.isEmpty }
    #expect(pair.reasons == ["more descriptors than belong to one message"])
    await pair.end()
  }

  @Test("says that descriptors were lost when the system cut the message, and keeps none of the rest")
  func truncated() async throws {
    let cut = Atomic(false)
    let flag = Shared(cut)
    let pair = try await ConnectedPair { calls in
      let real = calls
      calls.receive = { descriptor, count in
        var received = real.receive(descriptor, count)
        if flag.value.load(ordering: .relaxed), !received.descriptors.isEmpty { received.truncated = true }
        return received
      }
    }
    let pipes = try Pipes(1)
    flag.value.store(true, ordering: .relaxed)
    try await pair.write(preamble)
    try await pair.write(Frame(.descriptors(labels(3))).encoded, pipes.inTurn(2).map(\.number))
    try await poll { !pair.reasons.isEmpty }
    #expect(pair.reasons[0].contains("RLIMIT_NOFILE"))
    #expect(pair.frames.isEmpty)
    try await poll { !pair.ledger.open.contains { $0.contains("pipe:") } }
    await pair.end()
  }

  @Test("tells the end of the connection once, in the middle of a frame too, after what came before")
  func endsMidFrame() async throws {
    let pair = try await ConnectedPair()
    try await pair.write(preamble + Frame(.ready).encoded + Frame(.abort("lost")).encoded.dropLast(2))
    pair.endOther()
    try await poll { pair.hasEnded }
    #expect(pair.frames.map(\.frame) == [Frame(.ready)])
    #expect(pair.reasons.isEmpty)
    for _ in 0..<20 { await pair.onLoop { _ in } }
    #expect(pair.events.count { if case .closed = $0 { true } else { false } } == 1)
    await pair.end()
  }

  @Test("still tells the end of the connection after it has refused what came")
  func endsAfterMalformed() async throws {
    let pair = try await ConnectedPair()
    try await pair.write(Array("HTTP/1.1 400".utf8))
    try await poll { !pair.reasons.isEmpty }
    #expect(!pair.hasEnded)
    pair.endOther()
    try await poll { pair.hasEnded }
    await pair.end()
  }

  @Test("does not spin while a peer that was refused stays")
  func quietAfterMalformed() async throws {
    let turns = Shared(Atomic(0))
    let pair = try await ConnectedPair { calls in
      let real = calls
      calls.receive = { descriptor, count in
        turns.value.wrappingAdd(1, ordering: .relaxed)
        return real.receive(descriptor, count)
      }
    }
    try await pair.write(Array("HTTP/1.1 400".utf8))
    try await poll { !pair.reasons.isEmpty }
    try await pair.write(Array("more of it".utf8))
    for _ in 0..<100 { await pair.onLoop { _ in } }
    #expect(turns.value.load(ordering: .relaxed) <= 2)
    await pair.end()
  }

  @Test("runs the loop's timers although a peer never stops sending")
  func flood() async throws {
    // What the seam gives never ends: a writer that is always faster than the reader.
    let frame = Frame(type: 300).encoded
    let bytes = (0..<64).flatMap { _ in frame }
    let preamble = Preamble(purpose: .handover, program: "test").encoded
    let flooding = Shared(Atomic(0))
    let pair = try await ConnectedPair { calls in
      let real = calls
      calls.receive = { descriptor, count in
        switch flooding.value.wrappingAdd(1, ordering: .relaxed).oldValue {
        case 0: SocketCalls.Received(result: preamble.count, bytes: preamble)
        case ..<20_000: SocketCalls.Received(result: bytes.count, bytes: bytes)
        default: real.receive(descriptor, count)
        }
      }
    }
    try await pair.write([0])
    await withCheckedContinuation { done in
      _ = pair.loop.schedule(at: .now + .milliseconds(1)) { done.resume() }
    }
    #expect(flooding.value.load(ordering: .relaxed) < 20_000)
    await pair.end()
  }
}

/// What several closures hold.
final class Shared<Value: ~Copyable & Sendable>: Sendable {
  let value: Value
  init(_ value: consuming Value) { self.value = value }
}
