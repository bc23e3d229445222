import CGracefulSystem
import Foundation
import GracefulProcesses
import TestHost
import Testing

/// What the commands that stop say when something comes between.
@Suite("Stop commands when something comes between", .sharing(.processors), .timeLimit(.minutes(3)))
struct StopCommandAnswersTests {
  private func isThere(_ path: String) -> Bool {
    var status = cgs_file_status()
    return cgs_link_status(path, &status) == 0
  }

  @Test("a control socket of its own is gone with its process", .serialized, arguments: [true, false])
  func ownSocket(clean: Bool) async throws {
    let options = clean ? ["free"] : ["grace=300"]
    let directory = try TestDirectory()
    let program = try ToolProcess(
      ["http-stopped", "socket=\(directory.path("h"))", "control=\(directory.path("c"))"] + options,
      executable: "TestProgram", in: directory)
    // Before its phase has started nothing would hold its stop up.
    _ = try await CommandRun.status(["--socket", directory.path("c")], in: directory) {
      $0.contains(clean ? "stoppable: running" : "web  starting")
    }
    let stop = try await CommandRun(["stop", "--socket", directory.path("c")], in: directory)
    #expect(stop.status == .exited(0), "\(stop.errors)")
    #expect(await program.end() == .exited(clean ? 0 : 124), "\(program.errors)")
    #expect(!isThere(directory.path("c")) && !isThere(directory.path("h")))
  }

  @Test(
    "`graceful stop --directory` that is interrupted takes its request back, and exits 128 + n", .serialized,
    arguments: [1, 2, 15])
  func interrupted(signal: Int32) async throws {
    let directory = try TestDirectory()
    let stop = try ToolProcess(["stop", "--directory", directory.path(".")], in: directory)
    #expect(await eventually { self.isThere(directory.path("process.stop")) }, "\(stop.errors)")
    stop.child.signal(signal)
    #expect(await stop.end() == .exited(128 + signal), "\(stop.errors)")
    #expect(!isThere(directory.path("process.stop")))
    #expect(stop.errors.contains("has been taken back"), "\(stop.errors)")
  }

  @Test("by the process's number: what it says when it is late, and --wait-only, which sends nothing")
  func waitOnly() async throws {
    let program = try Stoppable()
    #expect(await program.becomeReady())
    let pid = "\(program.program.pid)"
    let idle = try await CommandRun(
      ["stop", "--pid", pid, "--wait-only", "--timeout", "200ms"], in: program.directory)
    #expect(idle.status == .exited(124) && !idle.errors.contains("SIGTERM"), "\(idle.errors)")
    #expect(await program.status("GET /readyz") == 200)
    let late = try await CommandRun(["stop", "--pid", pid, "--timeout", "300ms"], in: program.directory)
    #expect(late.status == .exited(124), "\(late.errors)")
    // Nothing of a process shows what holds it up; and a second request cancels.
    #expect(late.errors.contains("graceful status --socket"), "\(late.errors)")
    #expect(late.errors.contains("--wait-only") && late.errors.contains("cancels"), "\(late.errors)")
    let wait = try ToolProcess(["stop", "--pid", pid, "--wait-only"], in: program.directory)
    #expect(await eventually { Observed.hasPidfd(wait.pid) })
    let again = try await CommandRun(
      ["stop", "--pid", pid, "--wait-only", "--timeout", "200ms"], in: program.directory)
    #expect(again.status == .exited(124), "\(again.errors)")
    program.program.child.signal(SIGUSR2)
    #expect(await wait.end() == .exited(0), "\(wait.errors)")
    #expect(wait.output == "process \(pid) has stopped\n")
    // A second SIGTERM would have cancelled: 124.
    #expect(await program.program.end() == .exited(0), "\(program.program.errors)")
  }

  @Test(
    "--wait-only goes with --pid, and not with --now", .serialized,
    arguments: [["--socket", "/x"], ["--pid", "1", "--now"]])
  func waitOnlyUsage(with options: [String]) async throws {
    let directory = try TestDirectory()
    let stop = try await CommandRun(["stop", "--wait-only"] + options, in: directory)
    #expect(stop.status == .exited(64), "\(stop.errors)")
  }

  @Test(
    "with the files alone, one that is late says where to look for what holds it up", .serialized,
    arguments: [true, false])
  func lateByFiles(ancestor: Bool) async throws {
    let directory = try TestDirectory()
    let program = try ToolProcess(
      ["stoppable", "5000"], executable: "TestProgram", in: directory, own: ["TMPDIR": directory.path(".")])
    #expect(await eventually { program.output.contains("ready") }, "\(program.errors)")
    let stop = try ToolProcess(
      ancestor
        ? ["--directory", directory.path("."), "--timeout", "0.3"]
        : ["stop", "--directory", directory.path("."), "--timeout", "300ms"],
      executable: ancestor ? "stop" : "graceful", in: directory)
    #expect(await stop.end() == .exited(124), "\(stop.errors)")
    #expect(stop.errors.contains("graceful status --socket"), "\(stop.errors)")
  }

  @Test(
    "a program that was asked over HTTP and died without an answer is not nobody", .serialized,
    arguments: [true, false])
  func died(tcp: Bool) async throws {
    let program = try Stoppable(tcp: tcp)
    #expect(await program.becomeReady())
    let stop = try ToolProcess(
      ["stop", "--url", program.url] + (tcp ? ["--token-file", program.tokenFile] : []), in: program.directory)
    #expect(await program.answers("GET /readyz", 503))
    program.program.child.signal(SIGKILL)
    // Over a Unix socket its end is seen; over an address it is not.
    #expect(await stop.end() == .exited(tcp ? 1 : 0), "\(stop.errors)")
    #expect(!tcp || stop.errors.contains("was asked, and the connection ended before the answer"), "\(stop.errors)")
  }

  @Test(
    "what does not speak HTTP is nobody: 69, and not at the end of the time", .serialized,
    arguments: ["stop", "status"])
  func noHTTP(command: String) async throws {
    let directory = try TestDirectory()
    let control = try ToolProcess(
      ["http-stopped", "socket=\(directory.path("h"))", "control=\(directory.path("c"))", "free"],
      executable: "TestProgram", in: directory)
    #expect(await eventually { self.isThere(directory.path("c")) }, "\(control.errors)")
    let began = ContinuousClock.now
    let run = try await CommandRun(
      [command, "--url", "unix:\(directory.path("c"))", "--timeout", "30s"], in: directory)
    #expect(run.status == .exited(69), "\(run.errors)")
    #expect(run.errors.contains("does not speak HTTP"), "\(run.errors)")
    #expect(ContinuousClock.now - began < .seconds(15))
    control.child.signal(SIGTERM)
    #expect(await control.end() == .exited(0), "\(control.errors)")
  }

  @Test(
    "a program that cannot take the request now is asked again, and in the end it is 124", .serialized,
    arguments: [2, 10_000])
  func busy(times: Int) async throws {
    let directory = try TestDirectory()
    let server = try await BusyServer.start(times: times)
    let stop = try await CommandRun(
      ["stop", "--url", "http://127.0.0.1:\(server.port)", "--timeout", times == 2 ? "30s" : "500ms"], in: directory)
    #expect(stop.status == .exited(times == 2 ? 0 : 124), "\(stop.errors)")
    #expect(times == 2 || stop.errors.contains("a handover is going on"), "\(stop.errors)")
    try await server.end()
  }

  @Test("with hardly a descriptor left the program serves, or says why it does not start: 78, and never a crash")
  func noDescriptors() async throws {
    let directory = try TestDirectory()
    var ends: Set<Int32> = []
    // With fewer the process does not come so far: Dispatch traps when it cannot have its own.
    for limit in 14...24 {
      let socket = directory.path("h\(limit)")
      let program = try ToolProcess(
        [
          "--nofile=\(limit):\(limit)", try ToolProcess.built("TestProgram").path, "http-stopped", "socket=\(socket)",
          "free",
        ],
        executable: "/usr/bin/prlimit", in: directory)
      let endpoint = EndpointClient(place: .socket(socket))
      #expect(
        await eventually {
          if program.child.status != nil { return true }
          return await endpoint.status("GET /readyz") == 200
        }, "\(limit): \(program.errors)")
      program.child.signal(SIGTERM)
      switch await program.end() {
      case .exited(let code):
        ends.insert(code)
        // A program that served may find no descriptor for the lock, under which paths are removed: the next replaces it.
        #expect(code == 0 || !isThere(socket))
        #expect(code == 0 || code == 78, "\(limit): \(program.errors)")
        // The report has it in lines.
        let errors = program.errors.replacing("\n! ", with: " ")
        #expect(code == 0 || errors.contains("Too many open files"), "\(limit): \(program.errors)")
      case let other: Issue.record("\(limit): \(String(describing: other)): \(program.errors)")
      }
    }
    #expect(ends == [0, 78])
  }
}
