import Foundation
import GracefulProcesses
import TestHost
import Testing

@Suite("The demo", .sharing(.processors), .timeLimit(.minutes(3)))
struct DemoTests {
  private func demo(_ directory: TestDirectory, _ more: [String] = []) throws -> ToolProcess {
    try ToolProcess(["demo", "--listen", "127.0.0.1:0", "--socket", directory.path("s")] + more, in: directory)
  }

  @Test("answers each of its paths, echoes the request's id, and keeps the connection")
  func paths() async throws {
    let directory = try TestDirectory()
    let demo = try demo(directory)
    let serving = try #require(await demo.serving())
    let client = try await WireClient.connect(port: serving.port)
    try await client.send("GET /?x=1 HTTP/1.1\r\nHost: test\r\nX-Request-Id: seven\r\n\r\n")
    #expect(await client.reads("generation 1 pid \(serving.pid)\n"))
    #expect(client.text.contains("X-Request-Id: seven\r\n"))
    try await client.get("/slow?ms=20")
    #expect(await client.reads("slow\n"))
    try await client.get("/stream?ms=50")
    #expect(await client.reads("piece 10 of 10\n\r\n0\r\n\r\n"))
    try await client.send("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello")
    #expect(await client.reads("\r\n\r\nhello"))
    for (request, status) in [
      ("GET /slow?ms=abc", "400"), ("GET /slow?ms=-1", "400"), ("GET /slow?ms=600001", "400"), ("POST /", "405"),
      ("GET /nothing", "404"), ("GET /echo", "405"),
    ] {
      let more = try await WireClient.connect(port: serving.port)
      try await more.send("\(request) HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n")
      #expect(await more.reads("HTTP/1.1 \(status) "), "\(request)")
      more.close()
    }
    #expect(!client.ended)
  }

  @Test("on SIGTERM answers what is there, keeps an idle connection until its client has spoken, and ends clean")
  func drains() async throws {
    let directory = try TestDirectory()
    let demo = try demo(directory)
    let serving = try #require(await demo.serving())
    let slow = try await WireClient.connect(port: serving.port)
    let idle = try await WireClient.connect(port: serving.port)
    let silent = try await WireClient.connect(port: serving.port)
    try await idle.get()
    #expect(await idle.reads("generation 1"))
    try await slow.get("/slow?ms=700")
    await Self.accepted(by: serving)
    demo.child.signal(SIGTERM)
    // No new client gets in: the listener is closed.
    #expect(await eventually { (try? await WireClient.connect(port: serving.port)) == nil })
    #expect(!idle.ended && !silent.ended)
    #expect(await slow.reads("slow\n"))
    for client in [idle, slow, silent] {
      #expect(await client.isServedUntilTold(), "\(client.text)")
      #expect(await client.ends() && client.error == nil)
    }
    #expect(await demo.end() == .exited(0), "\(demo.errors)")
    #expect(!FileManager.default.fileExists(atPath: directory.path("s")))
  }

  @Test("closes connections that are idle at the drain limit, and that is clean")
  func idleAtTheLimit() async throws {
    let directory = try TestDirectory()
    // Long enough for the longest time that is kept for idle connections, a quarter of a second.
    let demo = try demo(directory, ["--drain-limit", "4s"])
    let serving = try #require(await demo.serving())
    let idle = try await WireClient.connect(port: serving.port)
    try await idle.get()
    #expect(await idle.reads("generation 1"))
    demo.child.signal(SIGTERM)
    #expect(await idle.ends() && idle.error == nil)
    // As a client does; while it does not, the server waits for that.
    idle.close()
    #expect(await demo.end() == .exited(0), "\(demo.errors)")
  }

  @Test("cuts a request that takes longer than the drain limit, and says so with 124")
  func cutAtTheLimit() async throws {
    let directory = try TestDirectory()
    // The shortest with two seconds between being cancelled and being abandoned.
    let demo = try demo(directory, ["--drain-limit", "8s"])
    let serving = try #require(await demo.serving())
    let slow = try await WireClient.connect(port: serving.port)
    try await slow.get("/stream?ms=60000")
    // In flight for sure: its response has begun.
    #expect(await slow.reads("chunked"))
    demo.child.signal(SIGTERM)
    #expect(await demo.end() == .exited(124), "\(demo.child.status.map { "\($0)" } ?? "runs") \(demo.errors)")
    #expect(demo.errors.contains("CANCELLED") && demo.errors.contains("exit 124: not ended in time: http"))
  }

  @Test("cancels at the second signal, without waiting, and ends at once at the third")
  func escalates() async throws {
    let directory = try TestDirectory()
    for (signals, expected) in [([SIGTERM, SIGINT], Int32(124)), ([SIGTERM, SIGTERM, SIGTERM], 143)] {
      let demo = try demo(directory, ["--drain-limit", "1m"])
      let serving = try #require(await demo.serving())
      let slow = try await WireClient.connect(port: serving.port)
      try await slow.get("/stream?ms=60000")
      #expect(await slow.reads("chunked"))
      for (index, signal) in signals.enumerated() {
        // Of one number, those that come within 20 ms are one.
        let before = ContinuousClock.now
        #expect(await eventually { ContinuousClock.now - before > .milliseconds(30) })
        demo.child.signal(signal)
        #expect(
          await eventually {
            demo.child.status != nil || demo.errors.components(separatedBy: "stop requested").count > index + 1
          })
      }
      // The third may find it ended by the second already: to be cancelled takes it no time.
      let code = await demo.end()?.shellCode
      #expect(code == expected || (signals.count == 3 && code == 124), "\(demo.errors)")
      if code == 124 {
        #expect(demo.errors.contains("CANCELLED") && demo.errors.contains("not ended in time: http"))
        #expect(demo.errors.contains("1 connections had a request in flight"))
        #expect(!demo.errors.contains("ABANDONED") && !demo.errors.contains("clean"))
      }
    }
  }

  @Test("ends at once, and clean, when it is told to stop while it waits for the process before it")
  func stoppedWhileJoining() async throws {
    let directory = try TestDirectory()
    let first = try demo(directory)
    _ = try #require(await first.serving())
    // Stopped, it holds the socket and says nothing.
    first.child.signal(SIGSTOP)
    let waiting = try demo(directory)
    // Its phase has started when it listens for this; before, the signal would end it.
    #expect(await waiting.catches(SIGHUP))
    // In the queue of a socket whose process does not run: as far as it can get.
    waiting.child.signal(SIGHUP)
    #expect(await eventually { waiting.errors.contains("this process does not serve yet") }, "\(waiting.errors)")
    waiting.child.signal(SIGTERM)
    #expect(await waiting.end(within: .seconds(5)) == .exited(0), "\(waiting.errors)")
    first.child.signal(SIGCONT)
    #expect(await WireClient.answer(port: first.serving()?.port ?? 0)?.contains("generation 1") == true)
  }

  @Test(
    "refuses bad input with a sentence that says what to do", .serialized,
    arguments: [
      (["--bogus"], Int32(64), "Unknown option"),
      (["--listen", "nonsense"], 64, "such as 127.0.0.1:8080"),
      (["--listen", "localhost:80"], 64, "numeric address"),
      (["--drain-limit", "10"], 64, "drain-limit"),
      (["--drain-limit", "0s"], 64, "longer than 0"),
      (["--socket", "/" + String(repeating: "x", count: 150)], 78, "choose a shorter one"),
      (["--socket", "/etc/passwd"], 78, "regular file"),
      (["--socket", "/nonexistent/s"], 78, "mkdir"),
      (["--socket", ""], 78, "give a path"),
      (["--listen", "192.0.2.1:80"], 1, "no interface of this machine has that address"),
    ])
  func badInput(_ arguments: [String], code: Int32, says: String) async throws {
    let directory = try TestDirectory()
    let usual = arguments.contains("--socket") ? [] : ["--socket", directory.path("s")]
    let demo = try ToolProcess(["demo"] + usual + arguments, in: directory)
    #expect(await demo.end() == .exited(code))
    #expect(demo.errors.contains(says), "\(demo.errors)")
    #expect(demo.output.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: directory.path("s")))
  }

  @Test("says which port is in use, and what to do")
  func portInUse() async throws {
    let directory = try TestDirectory()
    let first = try demo(directory)
    let serving = try #require(await first.serving())
    let second = try ToolProcess(
      ["demo", "--listen", "127.0.0.1:\(serving.port)", "--socket", directory.path("other")], in: directory)
    #expect(await second.end() == .exited(1))
    #expect(second.errors.contains("127.0.0.1:\(serving.port)") && second.errors.contains("same handover socket"))
    #expect(await WireClient.answer(port: serving.port)?.contains("generation 1") == true)
  }

  /// Waits until the server has read what was sent before: other requests, sent later, have been answered.
  static func accepted(by serving: Serving) async {
    for _ in 0..<3 { _ = await WireClient.answer(port: serving.port) }
  }
}
