import TestHost
import Foundation
import GracefulDescriptors
import Synchronization
import SystemPackage
import Testing

@testable import GracefulHandover

@Suite("Generations in one process", .serialized, .timeLimit(.minutes(2)))
struct HandoverTests {
  @Test("the first one has the path, for its user alone, and removes it when it leaves")
  func first() async throws {
    let stage = try Stage()
    var first: Generation? = try await stage.serve("a")
    #expect(first?.handover.generation == 1)
    #expect(first?.handover.predecessor == nil)
    #expect(first?.accepts == true)
    #expect(FileManager.default.mode(of: stage.socket) == 0o600)
    #expect(stage.events(of: "a") == [.owning(predecessorDied: false)])
    await first?.handover.leave()
    #expect(!FileManager.default.fileExists(atPath: stage.socket))
    first = nil
    await stage.ledger.expectAllClosed()
  }

  @Test("five generations serve one after the other on the very same listener, and nothing is left of them")
  func fiveGenerations() async throws {
    let stage = try Stage()
    var generations: [Generation] = []
    var gone: [() -> Bool] = []
    for number in 1...5 {
      let next = try await stage.serve("\(number)")
      #expect(next.handover.generation == number)
      if let before = generations.last {
        #expect(next.inode != nil && next.inode == before.inode)
        #expect(next.port == before.port)
        #expect(next.handover.predecessor == ThisProcess.number)
        try await poll { !before.accepts }
        let taken = Shared(TakenOver())
        before.handover.whenTakenOver { taken.value.by($0) }
        try await poll { taken.value.process == ThisProcess.number }
        // The path is the successor's by now.
        await before.handover.leave()
      }
      #expect(FileManager.default.mode(of: stage.socket) == 0o600)
      #expect(generations.count { $0.accepts } == 0)
      generations.append(next)
      gone.append { [weak handover = next.handover, weak loop = next.handover.loop] in handover == nil && loop == nil }
    }
    let last = try #require(generations.last)
    let client = try connectTCP(port: try #require(last.port))
    var accepted: Int32 = -1
    try await poll {
      accepted = SocketCalls.live.accept(last.listener?.number ?? -1)
      return accepted >= 0
    }
    stage.ledger.note(accepted)
    _ = consume client
    try FileDescriptor(rawValue: accepted).close()
    await last.handover.leave()
    #expect(!FileManager.default.fileExists(atPath: stage.socket))
    for generation in generations { generation.closeListener() }
    generations = []
    try await hasGone(gone, last)
    await stage.ledger.expectAllClosed()
  }

  private func hasGone(_ gone: [() -> Bool], _ last: consuming Generation) async throws {
    _ = consume last
    // The last one is still held by the caller's frame; all before it must have gone, threads and all.
    try await poll { gone.dropLast().allSatisfy { $0() } }
  }

  @Test("a path whose process has died is replaced")
  func stale() async throws {
    let stage = try Stage()
    let number = SocketCalls.live.unixSocket()
    _ = SharedDescriptor(OwnedDescriptor(adopting: .init(rawValue: number)))
    #expect(SocketCalls.live.bind(number, stage.socket) < 0, "closed before: the next lines would prove nothing")
    do {
      let held = SharedDescriptor(OwnedDescriptor(adopting: .init(rawValue: SocketCalls.live.unixSocket())))
      #expect(SocketCalls.live.bind(held.number, stage.socket) >= 0)
    }
    let first = try await stage.serve("a")
    #expect(first.handover.generation == 1)
    await first.handover.leave()
  }

  @Test("two that join first at once: one is the first, the other its successor", arguments: 0..<20)
  func twoAtOnce(round: Int) async throws {
    let stage = try Stage()
    async let one = stage.serve("one")
    async let other = stage.serve("other")
    let both = try await [one, other].sorted { $0.handover.generation < $1.handover.generation }
    #expect(both.map(\.handover.generation) == [1, 2])
    try await poll { both.map(\.accepts) == [false, true] }
    #expect(both[0].inode == both[1].inode)
    await both[1].handover.leave()
    await both[0].handover.leave()
  }

  @Test("what is inherited and not asked for is closed, and its name is told")
  func unclaimed() async throws {
    let stage = try Stage()
    let first = try await stage.join("a")
    try first.listen("http")
    _ = try first.handover.listener("admin", on: try #require(ListenAddress("127.0.0.1:0")))
    try await first.ready()
    let second = try await stage.serve("b")
    #expect(stage.events(of: "b").contains(.unclaimed(["admin"])))
    #expect(second.inode == first.inode)
    await second.handover.leave()
  }

  @Test("a listener whose address has changed is bound anew")
  func changedAddress() async throws {
    let stage = try Stage()
    let first = try await stage.serve("a")
    let second = try await stage.join("b")
    try second.listen("http", on: "[::1]:0")
    try await second.ready()
    #expect(second.inode != first.inode)
    #expect(stage.events(of: "b").contains(.unclaimed(["http"])))
    await second.handover.leave()
  }

  @Test("600 descriptors pass")
  func many() async throws {
    let stage = try Stage()
    let pipes = try Pipes(1)
    let first = try await stage.join("a")
    for number in 0..<600 {
      first.handover.offer(pipes.readers[0], as: DescriptorLabel(name: "\(number)", metadata: [1, 2, 3]))
    }
    try await first.ready()
    let second = try await stage.join("b")
    let inherited = second.handover.state.withLock { $0.inherited }
    #expect(inherited.map(\.label) == (0..<600).map { DescriptorLabel(name: "\($0)", metadata: [1, 2, 3]) })
    #expect(inherited.allSatisfy { Pipes.inode($0.descriptor) == Pipes.inode(pipes.readers[0]) })
    try await second.ready()
    await second.handover.leave()
  }

  @Test("a second successor at once is refused, and told why")
  func busy() async throws {
    let stage = try Stage()
    let first = try await stage.serve("a")
    let second = try await stage.join("b")
    let error = await #expect(throws: HandoverError.self) { _ = try await stage.join("c") }
    #expect(error?.code == .refused)
    #expect(error?.reason.contains("a handover to process \(ThisProcess.number) is going on") == true)
    try await second.ready()
    #expect(second.accepts)
    _ = first
    await second.handover.leave()
  }

  @Test("a successor that is never ready is given up and told so, and the predecessor serves on")
  func givenUp() async throws {
    let stage = try Stage()
    let first = try await stage.join("a") { $0.ready = .milliseconds(500) }
    try first.listen()
    try await first.ready()
    let second = try await stage.join("b")
    await second.handover.failed()
    let error = await #expect(throws: HandoverError.self) { try await second.ready() }
    #expect(error?.code == .givenUp)
    #expect(error?.reason.contains("it was not ready within 0.5 seconds") == true)
    #expect(!second.accepts)
    #expect(first.accepts)
    try await stage.wait(for: "a") { $0.kind == .successorGivenUp }
    // A successor that let go is not killed; a slow machine may give the next ones up as well.
    var third: Generation?
    try await poll {
      do { third = try await stage.serve("c") } catch let error as HandoverError {
        #expect(error.code == .givenUp || error.code == .refused)
      }
      return third != nil
    }
    #expect(third?.handover.generation == 2)
    #expect(stage.kills == 0)
    await third?.handover.leave()
  }

  @Test("one that stops while it prepares withdraws, and the predecessor serves on")
  func withdraws() async throws {
    let stage = try Stage()
    let first = try await stage.serve("a")
    let second = try await stage.join("b")
    second.handover.stopRequested()
    let error = await #expect(throws: HandoverError.self) { try await second.ready() }
    #expect(error?.code == .withdrawn)
    try await stage.wait(for: "a") { $0.kind == .successorFailed }
    #expect(first.accepts)
    await second.handover.leave()
    await first.handover.leave()
  }

  @Test("a restart whose program cannot be started is told, and one before this process serves too")
  func restart() async throws {
    let stage = try Stage()
    let first = try await stage.serve("a")
    first.handover.restart()
    try await stage.wait(for: "a") {
      if case .restartFailed(let why) = $0.detail { why.contains("/nonexistent") } else { false }
    }
    let second = try await stage.join("b")
    second.handover.restart()
    try await stage.wait(for: "b") { $0.kind == .restartFailed }
    await second.handover.leave()
    await first.handover.leave()
  }
}
