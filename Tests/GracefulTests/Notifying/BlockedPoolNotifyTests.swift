import TestHost
import Testing

/// S9, with a real process: every thread of the cooperative pool is blocked.
@Suite("A program whose every pool thread is blocked, under systemd", .sharing(.processors))
struct BlockedPoolNotifyTests {
  @Test("T5: tells systemd that it stops, asks for time, and ends its lame-duck time", .timeLimit(.minutes(2)))
  func blocked() async throws {
    let folder = try Folder()
    let manager = try DatagramListener("\(folder.path)/notify")
    let program = try ChildProgram(
      "blocked", ["8000"],
      environment: ["NOTIFY_SOCKET=\(folder.path)/notify", "GRACEFUL_LAME_DUCK_SECONDS=1"])
    #expect(await program.wait(for: "blocked\n", on: program.output) != nil)
    #expect(await manager.hears("READY=1"))
    program.signal(15)
    #expect(await manager.hears("STOPPING=1\nSTATUS=stopping, asked by SIGTERM"))
    #expect(await manager.hears("EXTEND_TIMEOUT_USEC="))
    let end = try #require(await program.end())
    #expect(end.code == 124)
    #expect(end.errors.contains("served on as a lame duck for 1."), "\(end.errors)")
    #expect(await manager.hears("STATUS=stopped, exit 124"), "\(manager.all())")
  }
}
