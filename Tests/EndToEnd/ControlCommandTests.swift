import CGracefulSystem
import Foundation
import GracefulProcesses
import TestHost
import Testing

/// The commands, against the demo and against a program that hangs.
@Suite("Stop, status, restart and plan", .sharing(.processors), .timeLimit(.minutes(4)))
struct ControlCommandTests {
  private func demo(_ directory: TestDirectory, _ more: [String] = []) throws -> ToolProcess {
    try ToolProcess(
      ["demo", "--listen", "127.0.0.1:0", "--socket", directory.path("s")] + more, in: directory)
  }

  /// Runs a command to its end.
  private func run(
    _ arguments: [String], in directory: TestDirectory, own: [String: String] = [:], terminal: Terminal? = nil
  ) async throws -> (status: GracefulProcesses.ExitStatus?, output: String, errors: String) {
    let tool = try ToolProcess(arguments, in: directory, own: own, terminal: terminal?.terminal)
    let status = await tool.end()
    return (status, tool.output, tool.errors)
  }

  @Test("stop returns when the process is gone, twenty times, and says which it was")
  func stop() async throws {
    let directory = try TestDirectory()
    for _ in 0..<20 {
      let demo = try demo(directory)
      let serving = try #require(await demo.serving())
      let stop = try await run(["stop", "--socket", directory.path("s")], in: directory)
      // Not a moment later: it was gone when the command had ended.
      #expect(!Observed.lives(serving.pid))
      #expect(stop.status == .exited(0), "\(stop.errors)")
      #expect(stop.output == "process \(serving.pid) has stopped\n")
      #expect(await demo.end() == .exited(0))
      #expect(demo.errors.contains("asked by control socket: graceful stop (process "))
    }
  }

  @Test("stop that is not in time exits 124, and says which phase holds it up; with --now it cancels")
  func late() async throws {
    let directory = try TestDirectory()
    let demo = try demo(directory, ["--drain-limit", "1m"])
    let serving = try #require(await demo.serving())
    let client = try await WireClient.connect(port: serving.port)
    try await client.get("/stream?ms=60000")
    #expect(await client.reads("chunked"))
    let late = try await run(["stop", "--socket", directory.path("s"), "--timeout", "3s"], in: directory)
    #expect(late.status == .exited(124))
    #expect(late.errors.contains("process \(serving.pid) has not stopped within 3s"), "\(late.errors)")
    #expect(late.errors.contains("phase http, draining"), "\(late.errors)")
    #expect(Observed.lives(serving.pid))
    let status = try await run(["status", "--socket", directory.path("s")], in: directory)
    #expect(status.output.contains("demo: stopping") && status.output.contains("http  draining"), "\(status.output)")
    let now = try await run(["stop", "--socket", directory.path("s"), "--now"], in: directory)
    #expect(now.status == .exited(0), "\(now.errors)")
    #expect(now.output.contains("with exit code 124") && now.output.contains("http"), "\(now.output)")
    #expect(await demo.end() == .exited(124))
  }

  @Test("stop shows on a terminal what is draining while it waits")
  func terminal() async throws {
    let directory = try TestDirectory()
    let demo = try demo(directory, ["--drain-limit", "1m"])
    let serving = try #require(await demo.serving())
    let slow = try await WireClient.connect(port: serving.port)
    try await slow.get("/stream?ms=1500")
    #expect(await slow.reads("chunked"))
    let terminal = try Terminal()
    let stop = try ToolProcess(
      ["stop", "--socket", directory.path("s")], in: directory, terminal: terminal.terminal)
    #expect(await eventually { terminal.text.contains("http  draining") }, "\(terminal.text)")
    #expect(terminal.text.contains("demo: stopping"))
    #expect(await slow.reads("piece 10 of 10"))
    slow.close()
    #expect(await stop.end() == .exited(0))
    // What was shown has gone, and the cursor is where it was.
    #expect(terminal.text.hasSuffix("\u{1b}[J"))
  }

  @Test("status as text, as JSON, and watched until the program has ended and its successor, too")
  func status() async throws {
    let directory = try TestDirectory()
    let demo = try demo(directory)
    let serving = try #require(await demo.serving())
    let text = try await run(["status", "--socket", directory.path("s")], in: directory)
    #expect(text.status == .exited(0))
    #expect(text.output.contains("demo: running") && text.output.contains("process \(serving.pid), generation 1"))
    let json = try await run(["status", "--json", "--socket", directory.path("s")], in: directory)
    #expect(json.output.contains("\"schema\" : 1"))

    let watch = try ToolProcess(["status", "--watch", "--socket", directory.path("s")], in: directory)
    #expect(await eventually { watch.output.contains("demo: running") })
    let restart = try await run(["restart", "--socket", directory.path("s")], in: directory)
    #expect(restart.status == .exited(0), "\(restart.errors)")
    #expect(await eventually { watch.output.contains("generation 2") || watch.output.contains("demo: stopping") })
    let stop = try await run(["stop", "--socket", directory.path("s")], in: directory)
    #expect(stop.status == .exited(0), "\(stop.errors)")
    #expect(await watch.end() == .exited(0), "\(watch.errors)")
    #expect(!watch.output.contains("\u{1b}"))
  }

  @Test("restart returns when the successor serves; the socket is the successor's")
  func restart() async throws {
    let directory = try TestDirectory()
    let demo = try demo(directory)
    let serving = try #require(await demo.serving())
    for generation in 2...4 {
      let before = try #require(await demo.serving(generation: generation - 1))
      let restart = try await run(["restart", "--socket", directory.path("s")], in: directory)
      #expect(restart.status == .exited(0), "\(restart.errors)")
      // The successor serves by the time the command has ended, and answers.
      #expect(await WireClient.answer(port: serving.port)?.contains("generation \(generation)") == true)
      let next = try #require(await demo.serving(generation: generation))
      #expect(
        restart.output
          == "process \(next.pid), generation \(generation), serves; it has taken over from process \(before.pid)\n")
    }
    let stop = try await run(["stop", "--socket", directory.path("s")], in: directory)
    #expect(stop.status == .exited(0), "\(stop.errors)")
    #expect(await eventually { demo.servings.allSatisfy { !Observed.lives($0.pid) } })
  }

  @Test("a restart whose successor fails exits 1 and says why; the program is as it was")
  func restartFails() async throws {
    let directory = try TestDirectory()
    let demo = try ToolProcess(
      ["demo", "--listen", "127.0.0.1:0", "--socket", directory.path("s")],
      executable: try Self.copied(to: directory), in: directory)
    let serving = try #require(await demo.serving())
    // A deploy has put there what does not start.
    try FileManager.default.removeItem(atPath: directory.path("program"))
    try Data("no program".utf8).write(to: URL(fileURLWithPath: directory.path("program")))
    let restart = try await run(["restart", "--socket", directory.path("s")], in: directory)
    #expect(restart.status == .exited(1))
    #expect(restart.errors.contains("process \(serving.pid) was not replaced, and is as it was"), "\(restart.errors)")
    #expect(await WireClient.answer(port: serving.port)?.contains("generation 1") == true)
  }

  private static func copied(to directory: TestDirectory) throws -> String {
    let path = directory.path("program")
    try FileManager.default.copyItem(at: try ToolProcess.built("graceful"), to: URL(fileURLWithPath: path))
    return path
  }

  @Test("plan as text, JSON and a picture, of the program that runs")
  func plan() async throws {
    let directory = try TestDirectory()
    let demo = try demo(directory)
    _ = try #require(await demo.serving())
    let socket = ["--socket", directory.path("s")]
    #expect(try await run(["plan"] + socket, in: directory).output.contains("demo: a stop takes"))
    #expect(try await run(["plan", "--json"] + socket, in: directory).output.contains("\"stopWaves\""))
    #expect(try await run(["plan", "--svg"] + socket, in: directory).output.hasPrefix("<svg"))
    let file = try await run(["plan", "--svg", "-o", directory.path("plan.svg")] + socket, in: directory)
    #expect(file.status == .exited(0) && directory.read("plan.svg").hasPrefix("<svg"))
  }

  @Test("stop by the number of the process")
  func pid() async throws {
    let directory = try TestDirectory()
    let demo = try demo(directory)
    let serving = try #require(await demo.serving())
    let stop = try await run(["stop", "--pid", "\(serving.pid)"], in: directory)
    #expect(stop.status == .exited(0), "\(stop.errors)")
    #expect(stop.output == "process \(serving.pid) has stopped\n")
    #expect(await demo.end() == .exited(0))
    #expect(demo.errors.contains("asked by SIGTERM"))
    let again = try await run(["stop", "--pid", "\(serving.pid)"], in: directory)
    #expect(again.status == .exited(69), "\(again.errors)")
  }

  @Test("stop by files: when the program is gone, and 69 where there is no such directory")
  func files() async throws {
    let directory = try TestDirectory()
    let program = try ToolProcess(
      ["stoppable"], executable: "TestProgram", in: directory, own: ["TMPDIR": directory.path(".")])
    #expect(await eventually { program.output.contains("ready") })
    let stop = try await run(["stop", "--directory", directory.path(".")], in: directory)
    #expect(!Observed.lives(program.pid))
    #expect(stop.status == .exited(0), "\(stop.errors)")
    #expect(await program.end() == .exited(0))
    let nobody = try await run(
      ["stop", "--directory", directory.path("."), "--timeout", "200ms"], in: directory)
    #expect(nobody.status == .exited(124), "\(nobody.errors)")
    let none = try await run(["stop", "--directory", directory.path("none")], in: directory)
    #expect(none.status == .exited(69), "\(none.errors)")
    let now = try await run(["stop", "--now", "--directory", directory.path(".")], in: directory)
    #expect(now.status == .exited(64), "\(now.errors)")
  }

  @Test(
    "bad input has its exit code and a sentence", .serialized,
    arguments: [
      (["stop"], Int32(64), "which program?"), (["stop", "--pid", "0"], 64, "number of a process"),
      (["stop", "--pid", "-1"], 64, ""), (["stop", "--socket", ""], 64, "give a path"),
      (["stop", "--socket", "/" + String(repeating: "x", count: 150)], 64, "choose a shorter one"),
      (["stop", "--socket", "/nonexistent/s"], 69, "there is no such socket"),
      (["stop", "--socket", "/etc/passwd"], 69, ""),
      (["stop", "--socket", "/x", "--pid", "1"], 64, "not 2 of them"),
      (["stop", "--socket", "/x", "--timeout", "abc"], 64, "timeout"),
      (["stop", "--socket", "/x", "--token-file", "/x"], 64, "--token-file is for --url"),
      (["stop", "--url", "https://x"], 64, "--url takes"), (["stop", "--url", "nonsense"], 64, "--url takes"),
      (["stop", "--url", "unix:/nonexistent/s"], 69, "nobody answers at"),
      (["stop", "--url", "http://127.0.0.1:1"], 69, "nobody answers at"),
      (["status"], 64, "which program?"), (["restart"], 64, "socket"),
      (["plan", "--json", "--svg", "--socket", "/x"], 64, ""),
      (["restart", "--socket", "/nonexistent/s"], 69, "there is no such socket"),
      (["plan", "--socket", "/nonexistent/s"], 69, "there is no such socket"),
    ])
  func badInput(_ arguments: [String], code: Int32, says: String) async throws {
    let directory = try TestDirectory()
    let tool = try await run(arguments, in: directory)
    #expect(tool.status == .exited(code), "\(tool.errors)")
    #expect(says.isEmpty || tool.errors.contains(says), "\(tool.errors)")
    #expect(tool.output.isEmpty)
  }

  @Test("a program that does not answer, because it is stopped, is late: 124")
  func stopped() async throws {
    let directory = try TestDirectory()
    let demo = try demo(directory)
    _ = try #require(await demo.serving())
    demo.child.signal(SIGSTOP)
    for command in [["stop"], ["status"], ["restart"], ["plan"]] {
      let tool = try await run(command + ["--socket", directory.path("s"), "--timeout", "300ms"], in: directory)
      #expect(tool.status == .exited(124), "\(command): \(tool.errors)")
    }
    demo.child.signal(SIGCONT)
  }

  @Test("a program whose pool is blocked is seen and stopped, through a socket of its own")
  func blocked() async throws {
    let directory = try TestDirectory()
    let program = try ToolProcess(
      ["blocked", "3000"], executable: "TestProgram", in: directory, own: ["BLOCKED_CONTROL": directory.path("c")])
    #expect(await eventually { program.output.contains("blocked") }, "\(program.errors)")
    let status = try await run(["status", "--socket", directory.path("c")], in: directory)
    #expect(status.output.contains("greedy"), "\(status.errors)")
    let restart = try await run(["restart", "--socket", directory.path("c")], in: directory)
    #expect(restart.status == .exited(69) && restart.errors.contains("takes no part in handovers"), "\(restart.errors)")
    let stop = try await run(["stop", "--socket", directory.path("c")], in: directory)
    #expect(!Observed.lives(program.pid))
    #expect(stop.status == .exited(0), "\(stop.errors)")
    #expect(stop.output.contains("with exit code 124") && stop.output.contains("greedy"), "\(stop.output)")
    #expect(await program.end() == .exited(124))
  }

  @Test("another user can neither see nor stop it: 77", .enabled(if: cgs_effective_user() == 0))
  func otherUser() async throws {
    let directory = try TestDirectory()
    let demo = try demo(directory)
    let serving = try #require(await demo.serving())
    let tool = try ToolProcess.built("graceful").path
    // Whatever the modes of the directories above say: only the socket itself is to be tried.
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: directory.path("."))
    for arguments in [
      ["stop", "--socket", directory.path("s")], ["status", "--socket", directory.path("s")],
      ["restart", "--socket", directory.path("s")], ["stop", "--pid", "\(serving.pid)"],
    ] {
      let other = try ToolProcess(
        ["--reuid", "65534", "--regid", "65534", "--clear-groups", tool] + arguments, executable: "/usr/bin/setpriv",
        in: directory)
      #expect(await other.end() == .exited(77), "\(arguments): \(other.errors)")
    }
    // And where the path is open to everybody, its user is asked for.
    try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: directory.path("s"))
    let other = try ToolProcess(
      ["--reuid", "65534", "--regid", "65534", "--clear-groups", tool, "stop", "--socket", directory.path("s")],
      executable: "/usr/bin/setpriv", in: directory)
    #expect(await other.end() == .exited(77), "\(other.errors)")
    #expect(other.errors.contains("user 65534 may not do this"), "\(other.errors)")
    #expect(await WireClient.answer(port: serving.port)?.contains("generation 1") == true)
  }
}
