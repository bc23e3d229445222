import CGracefulSystem
import Foundation
import GracefulProcesses
import TestHost
import Testing

/// The two-file protocol with real processes: our program and our `stop`, and a stand-in for the ancestor at either side.
@Suite("Stopping by files", .sharing(.processors), .timeLimit(.minutes(5)))
struct StopFilesTests {
  private func program(_ mode: String = "0", in directory: TestDirectory, files: String? = nil) async throws
    -> ToolProcess
  {
    let program = try ToolProcess(
      ["stoppable", mode], executable: "TestProgram", in: directory, own: ["TMPDIR": files ?? directory.path("")])
    #expect(await eventually { program.output.contains("ready") }, "\(program.errors)")
    return program
  }

  private func stop(
    _ arguments: [String] = [], in directory: TestDirectory, files: String? = nil, own: [String: String] = [:]
  ) throws -> ToolProcess {
    try ToolProcess(
      arguments, executable: "stop", in: directory, own: ["TMPDIR": files ?? directory.path("")].merging(own) { $1 })
  }

  private func has(_ name: String, _ directory: TestDirectory) -> Bool {
    var status = cgs_file_status()
    return cgs_link_status(directory.path(name), &status) == 0
  }

  /// The ancestor's side of a program: looks every two seconds, does not remove the request, and writes an answer that cannot
  /// be read.
  private static let ancestorProgram = """
    while ! test -e "$TMPDIR/process.stop"; do sleep 2; done
    : >"$TMPDIR/made"; chmod 01130 "$TMPDIR/made"; mv "$TMPDIR/made" "$TMPDIR/process.stopped"
    """
  /// The ancestor's `stop`.
  private static let ancestorStop = """
    : >"$TMPDIR/made"; chmod 01130 "$TMPDIR/made"; mv "$TMPDIR/made" "$TMPDIR/process.stop"
    while ! test -e "$TMPDIR/process.stopped"; do sleep 2; done
    """

  private func shell(_ script: String, in directory: TestDirectory) throws -> ToolProcess {
    try ToolProcess(
      ["-c", script], executable: "/bin/sh", in: directory, own: ["TMPDIR": directory.path("")])
  }

  @Test("`stop` returns when the process is gone, whatever an earlier run has left")
  func stopped() async throws {
    let directory = try TestDirectory()
    for _ in 0..<3 {
      let program = try await program("200", in: directory)
      let stop = try stop(in: directory)
      #expect(await stop.end() == .exited(0), "\(stop.errors)")
      #expect(!Observed.lives(program.pid))
      #expect(await program.end() == .exited(0))
      #expect(program.output.contains("ended") && stop.output + stop.errors == "")
      #expect(program.errors.contains("asked by stop file \(directory.path("process.stop"))"))
      #expect(!has("process.stop", directory) && has("process.stopped", directory))
    }
  }

  @Test(
    "A program that does not drain answers when it ends with 124, also with every thread of the pool blocked",
    .serialized,
    arguments: ["hang", "blocked"])
  func abandoned(mode: String) async throws {
    let directory = try TestDirectory()
    let program = try await program(mode, in: directory)
    let stop = try stop(in: directory)
    #expect(await stop.end() == .exited(0), "\(stop.errors)")
    #expect(!Observed.lives(program.pid))
    #expect(await program.end() == .exited(124))
  }

  @Test("A program without a lifecycle")
  func plain() async throws {
    let directory = try TestDirectory()
    let program = try await program("plain", in: directory)
    #expect(await (try stop(in: directory)).end() == .exited(0))
    #expect(await program.end() == .exited(0))
  }

  @Test("Stale files: a fresh program runs on, and `stop` does not return before it has stopped")
  func stale() async throws {
    let directory = try TestDirectory()
    _ = FileManager.default.createFile(atPath: directory.path("process.stop"), contents: nil)
    _ = FileManager.default.createFile(atPath: directory.path("process.stopped"), contents: nil)
    // The record of a start is exact to a hundredth of a second.
    let made = ContinuousClock.now
    #expect(await eventually { ContinuousClock.now - made > .milliseconds(50) })
    let program = try await program("500", in: directory)
    #expect(program.child.status == nil && !has("process.stop", directory) && !has("process.stopped", directory))
    #expect(await eventually { program.errors.contains("meant for an earlier one") }, "\(program.errors)")
    // Even if another process puts one there again.
    _ = FileManager.default.createFile(atPath: directory.path("process.stopped"), contents: nil)
    let stop = try stop(in: directory)
    #expect(await stop.end() == .exited(0), "\(stop.errors)")
    #expect(!Observed.lives(program.pid) && program.output.contains("ended"))
  }

  @Test(
    "`stop` with nobody there: 1, as the ancestor's; and its request is taken back; 69 without a directory; 77 and 64")
  func nobody() async throws {
    let directory = try TestDirectory()
    let quick = ["STOP_TIMEOUT_SECONDS": "0.2"]
    var stop = try stop(in: directory, own: quick)
    #expect(await stop.end() == .exited(1))
    #expect(stop.errors.contains("nobody has taken the request within 0.2 s") && !has("process.stop", directory))
    // What it says goes nowhere, and not into what it has opened.
    stop = try ToolProcess(
      ["-c", "exec \(try ToolProcess.built("stop").path) <&- >&- 2>&-"], executable: "/bin/sh", in: directory,
      own: ["TMPDIR": directory.path("")].merging(quick) { $1 })
    #expect(await stop.end() == .exited(1) && !has("process.stop", directory))
    stop = try self.stop(in: directory, files: directory.path("none"))
    #expect(await stop.end() == .exited(69))
    #expect(symlink("/nothing", directory.path("process.stop")) == 0)
    stop = try self.stop(in: directory)
    #expect(await stop.end() == .exited(77))
    #expect(stop.errors.contains("a symbolic link") && has("process.stop", directory))
    for arguments in [["--bogus"], ["--timeout"], ["--timeout", "0"], ["--timeout=x"], ["now"], ["--directory", ""]] {
      stop = try self.stop(arguments, in: directory)
      #expect(await stop.end() == .exited(64), "\(arguments)")
    }
  }

  @Test(
    "A `STOP_TIMEOUT_SECONDS` that is none is 30 s, with a warning", .serialized,
    arguments: ["-1", "0", "abc", "1e9", "5s", ""])
  func timeouts(value: String) async throws {
    let directory = try TestDirectory()
    let program = try await program(in: directory)
    let stop = try stop(in: directory, own: ["STOP_TIMEOUT_SECONDS": value])
    #expect(await stop.end() == .exited(0))
    #expect(stop.errors.contains("warning: STOP_TIMEOUT_SECONDS") == !value.isEmpty, "\(stop.errors)")
    #expect(await program.end() == .exited(0))
  }

  @Test("A `stop` that is interrupted takes its request back", .serialized, arguments: [SIGINT, SIGTERM])
  func interrupted(signal: Int32) async throws {
    let directory = try TestDirectory()
    let stop = try stop(in: directory)
    #expect(await eventually { has("process.stop", directory) })
    stop.child.signal(signal)
    #expect(await stop.end() == .exited(128 + signal))
    #expect(!has("process.stop", directory))
  }

  @Test("On a terminal, `stop` shows what it waits for, and how long, and leaves an empty line")
  func terminal() async throws {
    let directory = try TestDirectory()
    let program = try await program("3000", in: directory)
    let terminal = try Terminal()
    let stop = try ToolProcess(
      [], executable: "stop", in: directory, own: ["TMPDIR": directory.path("")], terminal: terminal.terminal)
    #expect(await stop.end() == .exited(0))
    #expect(terminal.text.contains(/the program has heard it, and stops \([0-9]+ s left\)/), "\(terminal.text)")
    #expect(terminal.text.hasSuffix("\r\u{1B}[K"))
    #expect(await program.end() == .exited(0))
  }

  @Test("The ancestor's program and our `stop`, which leaves no request behind for its next start")
  func ancestorsProgram() async throws {
    let directory = try TestDirectory()
    for _ in 0..<2 {
      let program = try shell(Self.ancestorProgram, in: directory)
      let stop = try stop(in: directory)
      #expect(await stop.end() == .exited(0), "\(stop.errors)")
      #expect(await program.end() == .exited(0))
      #expect(!has("process.stop", directory))
      // As it does itself before a test, and an operator after a run.
      _ = cgs_unlink(directory.path("process.stopped"))
    }
  }

  @Test("The ancestor's `stop` and our program")
  func ancestorsStop() async throws {
    let directory = try TestDirectory()
    _ = FileManager.default.createFile(atPath: directory.path("process.stopped"), contents: nil)
    for _ in 0..<2 {
      let program = try await program("50", in: directory)
      let stop = try shell(Self.ancestorStop, in: directory)
      #expect(await stop.end() == .exited(0))
      #expect(await program.end() == .exited(0))
      #expect(!has("process.stop", directory))
    }
  }

  @Test("Two programs with directories of their own: each is stopped without the other")
  func two() async throws {
    let (first, second) = (try TestDirectory(), try TestDirectory())
    let one = try await program(in: first)
    let two = try await program(in: second)
    #expect(await (try stop(in: first)).end() == .exited(0))
    #expect(await one.end() == .exited(0))
    #expect(two.child.status == nil)
    #expect(await (try stop(["--directory", second.path("")], in: first)).end() == .exited(0))
    #expect(await two.end() == .exited(0))
  }

  @Test(
    "Another user can stop a program neither in its own directory nor in one of everybody",
    .enabled(if: cgs_effective_user() == 0))
  func otherUser() async throws {
    let directory = try TestDirectory()
    // The other user shall get as far as he can.
    #expect(chmod(directory.path(""), 0o755) == 0)
    let own = directory.path("own")
    let everybody = directory.path("everybody")
    for path in [own, everybody] { _ = cgs_make_directory(path, 0o700) }
    #expect(chmod(own, 0o755) == 0 && chmod(everybody, 0o1777) == 0)
    let one = try await program(in: directory, files: own)
    let two = try await program(in: directory, files: everybody)
    // By hand: the tests' folder may be closed to him.
    let touch = { (path: String) in
      try ToolProcess(
        ["--reuid", "12345", "--regid", "12345", "--clear-groups", "touch", path], executable: "/usr/bin/setpriv",
        in: directory)
    }
    #expect(await (try touch(own + "/process.stop")).end() == .exited(1))
    #expect(await (try touch(everybody + "/process.stop")).end() == .exited(0))
    #expect(await eventually { two.errors.contains("belongs to user 12345") }, "\(two.errors)")
    #expect(one.child.status == nil && two.child.status == nil)
    // Nor is he able to be in the way of root.
    for (program, files) in [(one, own), (two, everybody)] {
      let stop = try stop(in: directory, files: files)
      #expect(await stop.end() == .exited(0), "\(stop.errors)")
      #expect(await program.end() == .exited(0))
    }
  }
}
