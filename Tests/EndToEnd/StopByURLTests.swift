import Foundation
import GracefulProcesses
import TestHost
import Testing

/// `graceful stop --url` and `graceful status --url`, against a program that is stopped over HTTP.
@Suite("Stop and status over HTTP", .sharing(.processors), .timeLimit(.minutes(3)))
struct StopByURLTests {
  @Test("stop over a Unix socket returns when the process is gone, and says which it was")
  func unixSocket() async throws {
    for _ in 0..<5 {
      let program = try Stoppable(["free"])
      #expect(await program.answers("GET /readyz", 200))
      let stop = try await CommandRun(["stop", "--url", program.url], in: program.directory)
      // Not a moment later: it was gone when the command had ended.
      #expect(!Observed.lives(program.program.pid))
      #expect(stop.status == .exited(0), "\(stop.errors)")
      #expect(stop.output == "process \(program.program.pid) has stopped\n")
      #expect(await program.program.end() == .exited(0))
      #expect(program.program.errors.contains("asked by HTTP"), "\(program.program.errors)")
    }
  }

  @Test("stop over TCP, with the token from a file or from the environment", .serialized, arguments: [true, false])
  func tcp(fromFile: Bool) async throws {
    let program = try Stoppable(["free"], tcp: true)
    #expect(await program.answers("GET /readyz", 200))
    let stop = try await CommandRun(
      ["stop", "--url", program.url] + (fromFile ? ["--token-file", program.tokenFile] : []), in: program.directory,
      own: fromFile ? [:] : ["GRACEFUL_TOKEN": Stoppable.token])
    #expect(stop.status == .exited(0), "\(stop.errors)")
    #expect(stop.output.hasPrefix("the program at \(program.url) has stopped"), "\(stop.output)")
    #expect(await program.program.end() == .exited(0))
    #expect(!program.program.errors.contains(Stoppable.token))
  }

  @Test(
    "without the token, or with another one, it is 77, and the program runs on", .serialized,
    arguments: ["stop", "status"])
  func notAllowed(command: String) async throws {
    let program = try Stoppable(["free"], tcp: true)
    #expect(await program.answers("GET /readyz", 200))
    for own in [[:], ["GRACEFUL_TOKEN": ""], ["GRACEFUL_TOKEN": Stoppable.token + "0"], ["GRACEFUL_TOKEN": "0"]] {
      let run = try await CommandRun([command, "--url", program.url], in: program.directory, own: own)
      #expect(run.status == .exited(77), "\(run.errors)")
      #expect(run.errors.contains("\(program.url) refuses: the token is missing or wrong"), "\(run.errors)")
      #expect(run.output.isEmpty)
    }
    // A file that is named counts, and not what the environment says.
    let file = program.directory.path("wrong")
    try Data("another-token".utf8).write(to: URL(fileURLWithPath: file))
    let run = try await CommandRun(
      [command, "--url", program.url, "--token-file", file], in: program.directory,
      own: ["GRACEFUL_TOKEN": Stoppable.token])
    #expect(run.status == .exited(77), "\(run.errors)")
    #expect(await program.status("GET /readyz") == 200)
  }

  @Test("a token file that is none is wrong usage: 64", .serialized, arguments: ["stop", "status"])
  func noToken(command: String) async throws {
    let directory = try TestDirectory()
    try Data("\n".utf8).write(to: URL(fileURLWithPath: directory.path("empty")))
    try Data("two words".utf8).write(to: URL(fileURLWithPath: directory.path("words")))
    for (name, says) in [("none", "none"), ("empty", "there is no token in it"), ("words", "there is no token in it")] {
      let run = try await CommandRun(
        [command, "--url", "http://127.0.0.1:1", "--token-file", directory.path(name)], in: directory)
      #expect(run.status == .exited(64), "\(run.errors)")
      #expect(run.errors.contains("--token-file \(directory.path(name))") && run.errors.contains(says), "\(run.errors)")
    }
  }

  @Test(
    "not in time is 124 with the phase that holds it up, and the program goes on draining", .serialized,
    arguments: [true, false])
  func late(tcp: Bool) async throws {
    let program = try Stoppable(tcp: tcp)
    #expect(await program.becomeReady())
    let token = tcp ? ["--token-file", program.tokenFile] : []
    for _ in 0..<2 {
      let late = try await CommandRun(
        ["stop", "--url", program.url, "--timeout", "300ms"] + token, in: program.directory)
      #expect(late.status == .exited(124))
      #expect(
        late.errors.contains("the program at \(program.url) has not stopped within 300ms")
          && late.errors.contains("web holds it up"), "\(late.errors)")
    }
    let status = try await CommandRun(["status", "--url", program.url] + token, in: program.directory)
    #expect(status.status == .exited(0), "\(status.errors)")
    #expect(
      status.output.contains("stoppable: stopping") && status.output.contains("web  draining"), "\(status.output)")
    program.program.child.signal(SIGUSR2)
    #expect(await program.program.end() == .exited(0))
  }

  @Test("status as text and as JSON, and --watch until the program has ended", .serialized, arguments: [true, false])
  func status(tcp: Bool) async throws {
    let program = try Stoppable(tcp: tcp)
    let way = ["--url", program.url] + (tcp ? ["--token-file", program.tokenFile] : [])
    let status = ["status"] + way
    let starting = try await CommandRun.status(way, in: program.directory) { $0.contains("web  starting") }
    #expect(starting.output.contains("stoppable: starting"), "\(starting.output)")
    #expect(await program.becomeReady())
    let running = try await CommandRun(status, in: program.directory)
    #expect(running.status == .exited(0), "\(running.errors)")
    #expect(running.output.contains("stoppable: running") && running.output.contains("web  ready"), "\(running.output)")
    let json = try await CommandRun(status + ["--json"], in: program.directory)
    let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
    #expect(object?["schema"] as? Int == 1 && object?["state"] as? String == "running", "\(json.output)")

    let watch = try ToolProcess(status + ["--watch"], in: program.directory)
    let watchJSON = try ToolProcess(status + ["--watch", "--json"], in: program.directory)
    #expect(await eventually { watch.output.contains("web  ready") && watchJSON.output.contains("\"running\"") })
    program.program.child.signal(SIGTERM)
    #expect(await eventually { watch.output.contains("web: draining") }, "\(watch.output)")
    program.program.child.signal(SIGUSR2)
    #expect(await program.program.end() == .exited(0))
    // What was watched has ended: that is no error.
    for process in [watch, watchJSON] {
      #expect(await process.end() == .exited(0), "\(process.errors)")
      #expect(process.errors.isEmpty, "\(process.errors)")
    }
  }

  @Test("with nobody there any more it is 69", .serialized, arguments: [true, false])
  func nobody(tcp: Bool) async throws {
    let program = try Stoppable(["free"], tcp: tcp)
    #expect(await program.answers("GET /readyz", 200))
    program.program.child.signal(SIGKILL)
    #expect(await program.program.end() == .signaled(SIGKILL))
    for command in ["stop", "status"] {
      let run = try await CommandRun([command, "--url", program.url], in: program.directory)
      #expect(run.status == .exited(69), "\(run.errors)")
      #expect(run.errors.contains("nobody answers at"), "\(run.errors)")
    }
  }

  @Test("a program that does not answer, because it is stopped, is late: 124", .serialized, arguments: [true, false])
  func silent(tcp: Bool) async throws {
    let program = try Stoppable(["free"], tcp: tcp)
    #expect(await program.answers("GET /readyz", 200))
    program.program.child.signal(SIGSTOP)
    for command in ["stop", "status"] {
      let run = try await CommandRun([command, "--url", program.url, "--timeout", "300ms"], in: program.directory)
      #expect(run.status == .exited(124), "\(run.errors)")
    }
    program.program.child.signal(SIGCONT)
  }
}
