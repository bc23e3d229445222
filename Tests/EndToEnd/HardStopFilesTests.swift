import Foundation
import GracefulProcesses
import TestHost
import Testing

/// What comes between a program and its answer by files.
@Suite("Stopping by files when something is in the way", .sharing(.processors), .timeLimit(.minutes(5)))
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
    let built = try ToolProcess.built("TestProgram").path
    for _ in 0..<3 {
      let directory = try TestDirectory()
      let program = try shell("'\(built)' stoppable 1500; exec '\(built)' stoppable 0", in: directory)
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
    let program = try tool(["stoppable", "0"], "TestProgram", in: directory)
    #expect(await eventually { program.output.contains("ready") }, "\(program.errors)")
    let limit = try tool(["--pid", "\(program.pid)", "--nofile=3:3"], "/usr/bin/prlimit", in: directory)
    #expect(await limit.end() == .exited(0), "\(limit.errors)")
    let stop = try tool([], "stop", in: directory)
    #expect(await stop.end() == .exited(0), "\(stop.errors)")
    #expect(await program.end() == .exited(0), "\(program.errors)")
    #expect(!program.errors.contains("no answer"), "\(program.errors)")
  }

  @Test(
    "What is in the place of process.stop and is no request is said once and left; without it the program is stopped",
    .serialized, arguments: ["mkdir", "ln -s /nothing", "mkfifo"])
  func inTheWay(make: String) async throws {
    let directory = try TestDirectory()
    let program = try tool(["stoppable", "0"], "TestProgram", in: directory)
    #expect(await eventually { program.output.contains("ready") }, "\(program.errors)")
    #expect(await (try shell("\(make) \"$TMPDIR/process.stop\"", in: directory)).end() == .exited(0))
    #expect(await eventually { program.errors.contains("not a regular file") })
    let refused = try tool([], "stop", in: directory)
    #expect(await refused.end() == .exited(77), "\(refused.errors)")
    #expect(program.child.status == nil)
    #expect(program.errors.components(separatedBy: "not a regular file").count == 2, "\(program.errors)")
    #expect(await (try shell("rm -r \"$TMPDIR/process.stop\"", in: directory)).end() == .exited(0))
    let stop = try tool([], "stop", in: directory)
    #expect(await stop.end() == .exited(0), "\(stop.errors)")
    #expect(await program.end() == .exited(0), "\(program.errors)")
  }

  /// With one inode not even an empty file can be made; with three there is one beside the program's lock.
  @Test(
    "On a full disk `stop` says so, and the program ends and says what it could not write; an empty file is an answer",
    .enabled(if: Namespace.isPermitted(["--mount"]), "it is mounted in a namespace of its own"))
  func fullDisk() async throws {
    let directory = try TestDirectory()
    let script = """
      mount -t tmpfs -o size=4k,nr_inodes=1,mode=700 none "$TMPDIR" || exit 1
      exec 3< <(exec "$0" stoppable 0); program=$!; read -r -u 3
      "$1"; echo "stop $?"
      kill -TERM $program; wait $program; echo "program $?"
      mount -o remount,nr_inodes=3 "$TMPDIR"
      exec 4< <(exec "$0" stoppable 0); program=$!; read -r -u 4
      "$1"; echo "stop $?"; wait $program; echo "program $?"
      """
    let disk = try tool(
      ["--mount", "/bin/bash", "-c", script, ToolProcess.built("TestProgram").path, ToolProcess.built("stop").path],
      Namespace.unshare, in: directory)
    #expect(await disk.end() == .exited(0), "\(disk.errors)")
    #expect(disk.outputLines == ["stop 74", "program 0", "stop 0", "program 0"], "\(disk.errors)")
    #expect(disk.errors.components(separatedBy: "no answer that it has stopped").count == 2, "\(disk.errors)")
  }

  @Test("A TMPDIR that is no UTF-8 is refused by either side, instead of another directory being watched")
  func notUTF8() async throws {
    let directory = try TestDirectory()
    for (name, arguments, expected) in [("stop", "", Int32(64)), ("TestProgram", "stoppable", 78)] {
      let built = try ToolProcess.built(name).path
      let tool = try shell(
        "TMPDIR=$(printf '%s/\\377' \"$TMPDIR\"); mkdir -p \"$TMPDIR\"; exec '\(built)' \(arguments)", in: directory)
      #expect(await tool.end() == .exited(expected), "\(tool.errors)")
      #expect(tool.errors.contains("TMPDIR") && tool.errors.contains("UTF-8"), "\(tool.errors)")
    }
  }
}
