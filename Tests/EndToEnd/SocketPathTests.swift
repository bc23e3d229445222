import Foundation
import GracefulDescriptors
import GracefulHandover
import GracefulProcesses
import SystemPackage
import TestHost
import Testing

@Suite("The path of a demo's socket", .sharing(.processors), .timeLimit(.minutes(2)))
struct SocketPathTests {
  private func demo(_ directory: TestDirectory) throws -> ToolProcess {
    try ToolProcess(
      ["demo", "--listen", "127.0.0.1:0", "--socket", directory.path("s"), "--drain-limit", "30s"], in: directory)
  }

  @Test("is the new program's when one is started while the old one drains, and stays when the old one ends")
  func startedWhileDraining() async throws {
    let directory = try TestDirectory()
    let first = try demo(directory)
    let serving = try #require(await first.serving())
    let slow = try await WireClient.connect(port: serving.port)
    try await slow.get("/stream?ms=1500")
    #expect(await slow.reads("piece 1"))
    kill(first.pid, SIGTERM)
    #expect(await eventually { first.errors.contains("stop") })
    let second = try demo(directory)
    _ = try #require(await second.serving(generation: 1), "\(second.errors)")
    #expect(await first.end() == .exited(0))
    let status = try await CommandRun(["status", "--socket", directory.path("s")], in: directory)
    #expect(status.status == .exited(0), "\(status.errors)")
    #expect(status.output.contains("process \(second.pid)"))
    let third = try demo(directory)
    _ = try #require(await third.serving(generation: 2), "\(third.errors)")
  }

  @Test("is not needed by the successor that the demo starts itself: it is given its connection as a descriptor")
  func givenAsADescriptor() async throws {
    let directory = try TestDirectory()
    let first = try demo(directory)
    let serving = try #require(await first.serving())
    // Another program has the path, and says nothing there.
    let other = SharedDescriptor(
      OwnedDescriptor(adopting: FileDescriptor(rawValue: SocketCalls.live.unixSocket())))
    #expect(
      await eventually {
        _ = SocketCalls.live.unlink(directory.path("s"))
        return SocketCalls.live.bind(other.number, directory.path("s")) >= 0
      })
    #expect(SocketCalls.live.listen(other.number, 8) >= 0)
    kill(serving.pid, SIGHUP)
    let second = try #require(await first.serving(generation: 2), "\(first.errors)")
    #expect(second.port == serving.port)
    // And its own one after it: what names the descriptor is not passed on.
    kill(second.pid, SIGHUP)
    let third = try #require(await first.serving(generation: 3), "\(first.errors)")
    #expect(third.port == serving.port)
  }

  @Test("is made anew when it was removed, and the demo is seen, restarted and stopped through it")
  func removed() async throws {
    let directory = try TestDirectory()
    let first = try demo(directory)
    _ = try #require(await first.serving())
    _ = SocketCalls.live.unlink(directory.path("s"))
    #expect(await eventually { FileManager.default.fileExists(atPath: directory.path("s")) })
    let restart = try await CommandRun(["restart", "--socket", directory.path("s")], in: directory)
    #expect(restart.status == .exited(0), "\(restart.errors)")
    _ = SocketCalls.live.unlink(directory.path("s"))
    #expect(await eventually { FileManager.default.fileExists(atPath: directory.path("s")) })
    let stop = try await CommandRun(["stop", "--socket", directory.path("s")], in: directory)
    #expect(stop.status == .exited(0), "\(stop.errors)")
    #expect(!FileManager.default.fileExists(atPath: directory.path("s")))
  }
}
