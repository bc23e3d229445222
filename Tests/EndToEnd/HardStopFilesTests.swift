import Foundation
import GracefulProcesses
import Testing
import WholeMachine

/// What comes between a program and its answer by files.
@Suite("Stopping by files when something is in the way", .wholeMachine, .serialized, .timeLimit(.minutes(5)))
struct HardStopFilesTests {
  private func tool(_ arguments: [String], _ executable: String, in directory: TestDirectory) throws -> ToolProcess {
    try ToolProcess(
      arguments, executable: executable, in: directory,
      own: ["TMPDIR": directory.path(""), "STOP_TIMEOUT_SECONDS": "20"])
  }

  private func shell(_ script: String, in directory: TestDirectory) throws -> ToolProcess {
    try tool(["-c", script], "/bin/sh", in: directory)
  }

  @Test("A program that is started again at once, and removes the answer of its predecessor, has stopped all the same")
  func startedAgain() async throws {
    let built = try ToolProcess.built("StoppableProgram").path
    for _ in 0..<3 {
      let directory = try TestDirectory()
      let program = try shell("'\(built)' 1500; exec '\(built)' 0", in: directory)
      #expect(await eventually { program.output.contains("ready") }, "\(program.errors)")
      let stop = try tool([], "stop", in: directory)
      #expect(await stop.end() == .exited(0), "\(stop.errors)")
    }
  }

  @Test(
    "A program that has no descriptor left answers",
    .enabled(if: FileManager.default.fileExists(atPath: "/usr/bin/prlimit"))
  )
  func noDescriptor() async throws {
    let directory = try TestDirectory()
    let program = try tool(["0"], "StoppableProgram", in: directory)
    #expect(await eventually { program.output.contains("ready") }, "\(program.errors)")
    let limit = try tool(["--pid", "\(program.pid)", "--nofile=3:3"], "/usr/bin/prlimit", in: directory)
    #expect(await limit.end() == .exited(0), "\(limit.errors)")
    let stop = try tool([], "stop", in: directory)
    #expect(await stop.end() == .exited(0), "\(stop.errors)")
    #expect(await program.end() == .exited(0), "\(program.errors)")
    #expect(!program.errors.contains("no answer"), "\(program.errors)")
  }

  @Test("A TMPDIR that is no UTF-8 is refused by either side, instead of another directory being watched")
  func notUTF8() async throws {
    let directory = try TestDirectory()
    for (name, expected) in [("stop", Int32(64)), ("StoppableProgram", 78)] {
      let built = try ToolProcess.built(name).path
      let tool = try shell(
        "TMPDIR=$(printf '%s/\\377' \"$TMPDIR\"); mkdir -p \"$TMPDIR\"; exec '\(built)'", in: directory)
      #expect(await tool.end() == .exited(expected), "\(tool.errors)")
      #expect(tool.errors.contains("TMPDIR") && tool.errors.contains("UTF-8"), "\(tool.errors)")
    }
  }
}
