import Foundation
import GracefulProcesses
import TestHost
import Testing

@Suite("One request to stop that arrives as two signals", .sharing(.processors), .timeLimit(.minutes(2)))
struct SignalledTwiceTests {
  @Test(
    "A program under timeout(1), which signals its child and then its group, drains",
    .enabled(if: FileManager.default.fileExists(atPath: "/usr/bin/timeout")))
  func timeout() async throws {
    let built = try ToolProcess.built("TestProgram").path
    var drained = 0
    for _ in 0..<5 {
      let directory = try TestDirectory()
      let timeout = try ToolProcess(
        ["--preserve-status", "60", built, "stoppable", "200"], executable: "/usr/bin/timeout", in: directory,
        own: ["TMPDIR": directory.path("")])
      #expect(await eventually { timeout.output.contains("ready") }, "\(timeout.errors)")
      // It passes on what it is sent in the same way as it ends a child whose time is over.
      timeout.child.signal(SIGTERM)
      // Held up for 20 ms between its two signals, it has asked twice.
      guard await timeout.end() == .exited(0) else { continue }
      drained += 1
      #expect(timeout.output.contains("ended"), "\(timeout.errors)")
    }
    #expect(drained >= 4)
  }
}
