import Foundation
import GracefulProcesses
import TestHost
import Testing

@Suite("The demo's ways to be stopped", .sharing(.processors), .timeLimit(.minutes(3)))
struct DemoStopWaysTests {
  private func demo(_ directory: TestDirectory, _ more: [String], own: [String: String] = [:]) throws -> ToolProcess {
    try ToolProcess(
      ["demo", "--listen", "127.0.0.1:0", "--socket", directory.path("s")] + more, in: directory, own: own)
  }

  @Test(
    "--http with a path, or 'own': probes, the status and the stop at a Unix socket", .serialized,
    arguments: [true, false])
  func unixSocket(isOwn: Bool) async throws {
    let directory = try TestDirectory()
    let path = isOwn ? directory.path("graceful/graceful-http.sock") : directory.path("h")
    let demo = try demo(
      directory, ["--http", isOwn ? "own" : path], own: ["XDG_RUNTIME_DIR": directory.path(".")])
    _ = try #require(await demo.serving())
    let endpoint = EndpointClient(place: .socket(path))
    #expect(await endpoint.status("GET /livez") == 200)
    #expect(await endpoint.answers("GET /readyz", 200))
    #expect(await endpoint.ask("GET /status")?.contains("\"demo\"") == true)
    #expect(await endpoint.status("GET /shutdown") == 405)
    #expect(await endpoint.ask("POST /shutdown?wait=30s")?.hasSuffix("\"exitCode\":0}\n") == true)
    #expect(await demo.end() == .exited(0), "\(demo.errors)")
    #expect(demo.errors.contains("asked by HTTP: from the socket"), "\(demo.errors)")
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test("--http with an address, and --token-file: probes for everybody, the stop for who has the token")
  func address() async throws {
    let directory = try TestDirectory()
    let port = Int(try FreePort.take())
    let demo = try demo(
      directory, ["--http", "127.0.0.1:\(port)", "--token-file", try Stoppable.tokenFile(in: directory)])
    _ = try #require(await demo.serving())
    let endpoint = EndpointClient(place: .port(port))
    #expect(await endpoint.answers("GET /readyz", 200))
    for fields in ["", "X-Stop-Token: \(Stoppable.token)0\r\n"] {
      #expect(await endpoint.status("POST /shutdown", fields) == 403)
      #expect(await endpoint.status("GET /status", fields) == 403)
    }
    #expect(await endpoint.status("GET /readyz") == 200)
    #expect(await endpoint.status("POST /shutdown", "X-Stop-Token: \(Stoppable.token)\r\n") == 202)
    #expect(await demo.end() == .exited(0), "\(demo.errors)")
    #expect(!demo.errors.contains(Stoppable.token))
  }

  @Test("--http: a successor has the address when it has taken over, and is the one that is stopped there")
  func successor() async throws {
    let directory = try TestDirectory()
    let port = Int(try FreePort.take())
    let token = "Authorization: Bearer \(Stoppable.token)\r\n"
    let demo = try demo(
      directory, ["--http", "127.0.0.1:\(port)", "--token-file", try Stoppable.tokenFile(in: directory)])
    let first = try #require(await demo.serving())
    let endpoint = EndpointClient(place: .port(port))
    #expect(await endpoint.answers("GET /readyz", 200))
    let restart = try await CommandRun(["restart", "--socket", directory.path("s")], in: directory)
    #expect(restart.status == .exited(0), "\(restart.errors)")
    let second = try #require(await demo.serving(generation: 2))
    #expect(await eventually { !Observed.lives(first.pid) })
    #expect(await endpoint.answers("GET /readyz", 200))
    #expect(await endpoint.ask("POST /shutdown?wait=30s", token)?.hasSuffix("\"exitCode\":0}\n") == true)
    #expect(await eventually { !Observed.lives(second.pid) })
  }

  @Test("--stop-files: process.stop there stops it, is taken away, and answered with process.stopped")
  func stopFiles() async throws {
    let directory = try TestDirectory()
    let files = directory.path("files")
    try FileManager.default.createDirectory(
      atPath: files, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    let demo = try demo(directory, ["--stop-files", files])
    let serving = try #require(await demo.serving())
    let slow = try await WireClient.connect(port: serving.port)
    try await slow.get("/stream?ms=500")
    #expect(await slow.reads("chunked"))
    #expect(FileManager.default.createFile(atPath: files + "/process.stop", contents: nil))
    // It is a drain.
    #expect(await slow.reads("piece 10 of 10"))
    slow.close()
    #expect(await demo.end() == .exited(0), "\(demo.errors)")
    #expect(demo.errors.contains("asked by stop file \(files)/process.stop"), "\(demo.errors)")
    let left = try FileManager.default.contentsOfDirectory(atPath: files)
    #expect(left == ["process.stopped"], "\(left) \(demo.errors)")
  }

  @Test("--lame-duck: not ready and served on for so long, and then drained")
  func lameDuck() async throws {
    let directory = try TestDirectory()
    let demo = try demo(directory, ["--http", directory.path("h"), "--lame-duck", "3s"])
    let serving = try #require(await demo.serving())
    let endpoint = EndpointClient(place: .socket(directory.path("h")))
    #expect(await endpoint.answers("GET /readyz", 200))
    let begin = ContinuousClock.now
    #expect(await endpoint.status("POST /shutdown") == 202)
    // From the first moment on.
    #expect(await endpoint.status("GET /readyz") == 503)
    #expect(await endpoint.status("GET /livez") == 200)
    var answers = 0
    while ContinuousClock.now < begin + .seconds(1) {
      guard await WireClient.answer(port: serving.port)?.contains("generation 1") == true else { break }
      answers += 1
    }
    #expect(ContinuousClock.now >= begin + .seconds(1), "refused after \(answers) answers")
    #expect(await demo.end() == .exited(0), "\(demo.errors)")
    #expect(ContinuousClock.now - begin >= .seconds(3))
    #expect(demo.errors.contains("of 3.000 s: its time was over"), "\(demo.errors)")
  }

  @Test("--lame-duck 0s: none, also where Kubernetes would have it, and the environment has the last word")
  func noLameDuck() async throws {
    let kubernetes = ["KUBERNETES_SERVICE_HOST": "127.0.0.1"]
    for (own, hasOne) in [([:], false), (["GRACEFUL_LAME_DUCK_SECONDS": "0.5"], true)] {
      let directory = try TestDirectory()
      let demo = try demo(directory, ["--lame-duck", "0s"], own: kubernetes.merging(own) { $1 })
      _ = try #require(await demo.serving())
      demo.child.signal(SIGTERM)
      #expect(await demo.end() == .exited(0), "\(demo.errors)")
      #expect(demo.errors.contains("as a lame duck") == hasOne, "\(demo.errors)")
    }
  }

  @Test(
    "what cannot be is refused with its exit code and a sentence, before anything is served", .serialized,
    arguments: [
      (["--http", "nonsense"], Int32(64), "and not 'nonsense'"),
      (["--http", "example.org:80"], 64, "and not 'example.org:80'"),
      (["--http", "localhost:port"], 64, "and not 'localhost:port'"),
      (["--http", "localhost:80"], 64, "--http localhost:80 needs --token-file"),
      (["--http", "127.0.0.1:99999"], 64, "and not '127.0.0.1:99999'"), (["--http", ""], 64, "and not ''"),
      (["--http", "127.0.0.1:0"], 64, "--http 127.0.0.1:0 needs --token-file"),
      (["--http", "[::1]:0"], 64, "--http [::1]:0 needs --token-file"),
      (["--token-file", "t"], 64, "--token-file needs --http"),
      (["--http", "own", "--token-file", ""], 64, "--token-file takes the path of a file"),
      (["--stop-files", ""], 64, "--stop-files takes a directory"),
      (["--lame-duck", "x"], 64, "The value 'x' is invalid for '--lame-duck"),
      (["--lame-duck=-1s"], 64, "The value '-1s' is invalid for '--lame-duck"),
      // What is there or not, is no matter of usage.
      (["--http", "127.0.0.1:0", "--token-file", "/nonexistent"], 78, "the token file /nonexistent cannot be read"),
      (["--http", "/nonexistent/h"], 78, "make the directory"),
      (["--stop-files", "/etc/passwd"], 78, "/etc/passwd: cannot be looked at"),
    ])
  func badInput(_ more: [String], code: Int32, says: String) async throws {
    let directory = try TestDirectory()
    let demo = try demo(directory, more)
    #expect(await demo.end() == .exited(code), "\(demo.errors)")
    #expect(demo.errors.replacingOccurrences(of: "\n! ", with: " ").contains(says), "\(demo.errors)")
    #expect(demo.output.isEmpty)
  }
}
