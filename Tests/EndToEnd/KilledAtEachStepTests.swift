import Foundation
import GracefulProcesses
import TestHost
import Testing

/// H3 with real processes: one side is the demo, the other stops at a step of the dialogue and is killed there.
@Suite("Killed at each step of a handover", .sharing(.processors), .timeLimit(.minutes(5)))
struct KilledAtEachStepTests {
  /// In the order in which they come; `released` is not among those at which a successor's death costs nothing: the
  /// probation time is zero.
  static let steps = [
    "connected", "greeted", "welcomed", "given", "offered", "ready", "committed", "acknowledged", "released",
  ]

  private func demo(_ directory: TestDirectory) throws -> ToolProcess {
    try ToolProcess(["demo", "--listen", "127.0.0.1:0", "--socket", directory.path("s")], in: directory)
  }

  private func peer(_ side: String, _ step: String, _ directory: TestDirectory) async throws -> ToolProcess {
    let peer = try ToolProcess(
      ["handover-peer", side, directory.path("s"), step], executable: "TestProgram", in: directory)
    if side == "successor" { #expect(await eventually { peer.output.contains("at \(step)\n") }, "\(peer.output)") }
    return peer
  }

  // At `acknowledged` the peer may have been released a moment later: then no process is left, which the probation time of
  // a later version mends.
  @Test(
    "a successor: the predecessor serves on, and the next successor takes over", .serialized,
    arguments: steps.dropLast(2))
  func successor(step: String) async throws {
    let directory = try TestDirectory()
    let demo = try demo(directory)
    let serving = try #require(await demo.serving())
    let descriptors = Observed.descriptors(of: serving.pid)
    let peer = try await peer("successor", step, directory)
    #expect(await WireClient.answer(port: serving.port)?.contains("generation 1") == true)
    peer.child.signal(SIGKILL)
    _ = await peer.end()
    #expect(await WireClient.answer(port: serving.port)?.contains("generation 1") == true)
    #expect(await eventually { Observed.descriptors(of: serving.pid) <= descriptors })
    let next = try self.demo(directory)
    #expect(await next.serving(generation: 2)?.port == serving.port, "\(next.errors) \(demo.errors)")
    #expect(await demo.end() == .exited(0))
  }

  @Test(
    "a predecessor: the successor serves on with what it has, and not a moment before", .serialized, arguments: steps)
  func predecessor(step: String) async throws {
    let directory = try TestDirectory()
    let peer = try await peer("predecessor", step, directory)
    #expect(await eventually { peer.output.contains("listening ") })
    let demo = try demo(directory)
    #expect(await eventually { peer.output.contains("at \(step)\n") }, "\(peer.output) \(demo.errors)")
    let port = Int(peer.output.split(separator: "\n")[0].dropFirst("listening ".count))
    if step != "released" {
      // The predecessor is alive and hung: time alone makes no process the owner.
      #expect(!(await eventually(within: .milliseconds(200)) { !demo.servings.isEmpty }))
    }
    // A client that connects while neither process accepts waits in the queue that both share.
    let early = try await WireClient.connect(port: #require(port))
    try await early.get()
    peer.child.signal(SIGKILL)
    let hasOffer = try #require(Self.steps.firstIndex(of: step)) >= 4
    let serving = await demo.serving(generation: hasOffer ? 2 : 1)
    #expect(serving != nil, "\(demo.errors)")
    if hasOffer {
      #expect(serving?.port == port)
      #expect(await early.reads("generation 2"))
    }
    #expect(await WireClient.answer(port: serving?.port ?? 0)?.contains("pid \(demo.pid)\n") == true)
    // It holds the socket as well: the next one takes over from it.
    let next = try self.demo(directory)
    #expect(await next.serving(generation: hasOffer ? 3 : 2) != nil, "\(next.errors)")
  }
}
