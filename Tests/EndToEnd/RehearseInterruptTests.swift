import Foundation
import GracefulProcesses
import TestHost
import Testing

@Suite("An interrupted rehearsal", .sharing(.processors), .timeLimit(.minutes(2)))
struct RehearseInterruptTests {
  /// A server that does not end when it is told to, and says in a file that it was told.
  private func stubborn(_ port: UInt16, in directory: TestDirectory) throws -> [String] {
    let server =
      "\(try ToolProcess.built("FaultyServer").path) --listen 127.0.0.1:\(port) --tally \(directory.path("tally"))"
    return [
      "sh", "-c",
      "trap 'echo told >>\(directory.path("told"))' TERM; \(server) & echo $! >\(directory.path("server")); "
        + "while :; do wait; done",
    ]
  }

  private func rehearse(_ restart: String, in directory: TestDirectory) throws -> ToolProcess {
    let port = try FreePort.take()
    return try ToolProcess(
      [
        "rehearse", "--json", "-", "--steady", "100ms", "--interval", "100ms", "--connections", "2", "--restarts", "1",
        "--left-over-limit", "10s", "--restart", restart, "--trust-restart", "--url", "http://127.0.0.1:\(port)/", "--",
      ] + stubborn(port, in: directory), in: directory)
  }

  private func server(in directory: TestDirectory) throws -> Int32 {
    try #require(Int32(directory.read("server").trimmingCharacters(in: .whitespacesAndNewlines)))
  }

  @Test("does not wait for the server that it has told to end")
  func whileTheServerEnds() async throws {
    let directory = try TestDirectory()
    let tool = try rehearse("command:true", in: directory)
    #expect(await eventually { !directory.read("told").isEmpty }, "\(tool.errors)")
    tool.child.signal(SIGINT)
    // Without the interrupt it would be killed after its patience, and the rehearsal would have passed.
    #expect(await tool.end() == .exited(2), "\(tool.errors)")
    #expect(tool.errors.contains("it was interrupted"))
    #expect(!Observed.lives(try server(in: directory)))
  }

  @Test("does not wait for an old process that is still there")
  func whileOldOnesAreLeft() async throws {
    let directory = try TestDirectory()
    // What the restart leaves behind is the newest, and the server is the old process, which does not end.
    let tool = try rehearse("command:sleep 600 & echo $! >\(directory.path("new"))", in: directory)
    // The clients' threads, which are there when it restarts, end with the load, which waits for old processes ten
    // seconds; after that it waits for them as long again.
    #expect(await eventually { !directory.read("new").isEmpty }, "\(tool.errors)")
    #expect(await eventually { !Self.threads(of: tool.pid).contains { $0.hasPrefix("NIO-ELT") } }, "\(tool.errors)")
    tool.child.signal(SIGINT)
    #expect(await tool.end() == .exited(2), "\(tool.errors)")
    #expect(tool.errors.contains("it was interrupted"))
    #expect(try RehearsalReport(tool.output).leftOver == [], "whether it would have ended, nobody has seen")
    #expect(!Observed.lives(try server(in: directory)))
    let new = try #require(Int32(directory.read("new").trimmingCharacters(in: .whitespacesAndNewlines)))
    #expect(!Observed.lives(new))
  }

  private static func threads(of pid: Int32) -> [String] {
    let folder = "/proc/\(pid)/task"
    let numbers = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return numbers.compactMap { try? String(contentsOfFile: "\(folder)/\($0)/comm", encoding: .utf8) }
  }
}
