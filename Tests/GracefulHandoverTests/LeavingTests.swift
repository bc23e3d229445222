import TestHost
import Foundation
import GracefulDescriptors
import Synchronization
import SystemPackage
import Testing

@testable import GracefulHandover

@Suite("Leaving a handover", .serialized, .timeLimit(.minutes(2)))
struct LeavingTests {
  @Test("one that has left is never ready, whatever it was")
  func readyAfterLeave() async throws {
    let stage = try Stage()
    let first = try await stage.join("a")
    await first.handover.leave()
    let error = await #expect(throws: HandoverError.self) { try await first.ready() }
    #expect(error?.code == .withdrawn)
  }

  @Test("leaving twice is leaving once, and other calls after it do nothing")
  func twice() async throws {
    let stage = try Stage()
    let first = try await stage.serve("a")
    await first.handover.leave()
    await first.handover.leave()
    first.handover.restart()
    first.handover.stopRequested()
  }

  @Test("a successor that leaves while it waits for the commit is told that it withdrew, and does not wait for ever")
  func leavesWhileReady() async throws {
    let stage = try Stage()
    // The predecessor never pauses, so that the successor waits.
    let first = try await stage.join("a")
    try first.listen()
    let never = Acceptor(accept: {}, pause: { _ in })
    try await first.handover.ready(never)
    let second = try await stage.join("b")
    async let ready: Void = second.ready()
    try await stage.wait(for: "a") { $0.kind == .committing }
    await second.handover.leave()
    do {
      try await ready
      Issue.record("it is the owner of what nobody released")
    } catch let error as HandoverError {
      #expect(error.code == .withdrawn)
    }
    #expect(!second.accepts)
    try await stage.wait(for: "a") { $0.kind == .successorFailed }
    await first.handover.leave()
    #expect(!FileManager.default.fileExists(atPath: stage.socket))
  }

  @Test("ready and leave at once: one of them is first, and both return", arguments: 0..<20)
  func atOnce(round: Int) async throws {
    let stage = try Stage()
    let first = try await stage.join("a")
    async let ready: Void = first.ready()
    async let left: Void = first.handover.leave()
    do { try await ready } catch { #expect((error as? HandoverError)?.code == .withdrawn) }
    await left
  }

  @Test("a second call of ready waits as the first does, and accepts no sooner")
  func readyTwice() async throws {
    let stage = try Stage()
    let held = Shared(Mutex<(@Sendable () -> Void)?>(nil))
    let first = try await stage.join("a")
    try await first.handover.ready(Acceptor(accept: {}, pause: { done in held.value.withLock { $0 = done } }))
    let second = try await stage.join("b")
    let returned = Shared(Atomic(0))
    let callers = (0..<2).map { _ in
      Task {
        try await second.ready()
        returned.value.wrappingAdd(1, ordering: .relaxed)
      }
    }
    try await poll { held.value.withLock { $0 != nil } }
    for _ in 0..<1000 { await Task.yield() }
    #expect(returned.value.load(ordering: .relaxed) == 0, "nothing was released")
    held.value.withLock { $0 }?()
    for caller in callers { try await caller.value }
    #expect(returned.value.load(ordering: .relaxed) == 2)
    try await second.ready()
    await second.handover.leave()
  }

  @Test("a predecessor that is draining keeps nobody waiting at the socket that it has handed over")
  func drainingHoldsNoSocket() async throws {
    let stage = try Stage()
    let first = try await stage.serve("a")
    var second: Generation? = try await stage.serve("b")
    try await stage.wait(for: "a") { $0.kind == .tookOver }
    #expect(second?.handover.generation == 2)
    // As if it had died: without leaving.
    second = nil
    let third = try await stage.join("c")
    #expect(third.handover.generation == 1)
    await third.handover.leave()
    _ = first
  }

  @Test("a successor that was given up keeps nobody waiting at the socket that it was sent")
  func failedHoldsNoSocket() async throws {
    let stage = try Stage()
    var first: Generation? = try await stage.join("a") { $0.ready = .milliseconds(100) }
    try await first?.ready()
    let second = try await stage.join("b")
    await second.handover.failed()
    first = nil
    let third = try await stage.join("c")
    #expect(third.handover.generation == 1)
    await third.handover.leave()
    _ = second
  }

  @Test("one that was asked to stop after its acknowledgement serves no further successor")
  func stopAfterAcknowledgement() async throws {
    let stage = try Stage()
    let held = Shared(Mutex<(@Sendable () -> Void)?>(nil))
    let first = try await stage.join("a")
    try await first.handover.ready(Acceptor(accept: {}, pause: { done in held.value.withLock { $0 = done } }))
    let second = try await stage.join("b")
    async let ready: Void = second.ready()
    try await poll { held.value.withLock { $0 != nil } }
    second.handover.stopRequested()
    await withCheckedContinuation { done in second.handover.loop.execute { done.resume() } }
    held.value.withLock { $0 }?()
    try await ready
    let error = await #expect(throws: HandoverError.self) {
      // Long enough for the answer to come first.
      _ = try await stage.join("c") { $0.offer = .seconds(3) }
    }
    #expect(error?.code == .timedOut)
    #expect(error?.reason.contains("about to end") == true)
    await second.handover.leave()
  }

  @Test("its listeners are nobody else's when it is the first and has offered them to nobody")
  func aloneAsTheFirst() async throws {
    let stage = try Stage()
    let first = try await stage.serve("a")
    let number = try #require(first.listener).number
    let listener = try SocketCalls.live.descriptorStatus(number).get().identity
    #expect(await first.handover.withdrawOffer().contains(listener))
    #expect(await first.handover.withdrawOffer().isEmpty, "they are not offered any more")
    await first.handover.leave()
    #expect(await first.handover.withdrawOffer().isEmpty)
  }

  @Test("its listeners may be somebody else's once they were offered, also to one that has failed")
  func notAloneAfterAnOffer() async throws {
    let stage = try Stage()
    let first = try await stage.serve("a")
    let second = try await stage.join("b")
    await second.handover.leave()
    try await stage.wait(for: "a") { $0.kind == .successorFailed }
    #expect(await first.handover.withdrawOffer().isEmpty)
    await first.handover.leave()
  }

  @Test("its listeners are the predecessor's too until that has ended", arguments: [true, false])
  func notAloneWithThePredecessor(hasEnded: Bool) async throws {
    let stage = try Stage()
    var first: Generation? = try await stage.serve("a")
    let second = try await stage.serve("b")
    try await stage.wait(for: "a") { $0.kind == .tookOver }
    #expect(await first?.handover.withdrawOffer().isEmpty == true, "they are the successor's")
    if hasEnded {
      first = nil
      try await stage.wait(for: "b") { $0.kind == .predecessorEnded }
    }
    #expect(await second.handover.withdrawOffer().isEmpty == !hasEnded)
    await second.handover.leave()
  }
}

/// Who took over.
final class TakenOver: Sendable {
  private let number = Mutex<Int32?>(nil)
  var process: Int32? { number.withLock { $0 } }
  func by(_ process: Int32) { number.withLock { $0 = process } }
}
