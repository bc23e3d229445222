import Foundation
import GracefulProcesses
import TestHost
import Testing

@Suite("Stopping over HTTP", .sharing(.processors), .timeLimit(.minutes(3)))
struct StopOverHTTPTests {
  /// livez, readyz, startupz, status, and GET /shutdown.
  private static let probes = [
    "GET /livez", "HEAD /livez", "GET /readyz", "GET /startupz", "GET /status", "GET /shutdown",
  ]

  private static func row(_ program: Stoppable) async -> [Int] {
    var row: [Int] = []
    for probe in probes { row.append(await program.status(probe)) }
    return row
  }

  @Test("Trap 23: each endpoint answers what is true during the start, the run and the drain, until the process ends")
  func table() async throws {
    let program = try Stoppable()
    #expect(await program.answers("GET /livez", 200))
    #expect(await Self.row(program) == [200, 200, 503, 503, 200, 405])
    #expect(await program.becomeReady())
    #expect(await Self.row(program) == [200, 200, 200, 200, 200, 405])
    #expect(await program.status("POST /shutdown") == 202)
    #expect(await Self.row(program) == [200, 200, 503, 200, 200, 405])
    #expect(await program.ask("POST /shutdown")?.contains("\"holding\":[{\"phase\":\"web\"") == true)
    #expect(await program.status("POST /shutdown?wait=100ms") == 504)
    program.program.child.signal(SIGUSR2)
    // As long as there is a process, it says that it lives.
    while program.program.child.status == nil {
      guard let text = await program.ask("GET /livez") else { break }
      #expect(text.hasPrefix("HTTP/1.1 200 ") || text.isEmpty)
    }
    #expect(await program.program.end() == .exited(0), "\(program.program.errors)")
    #expect(program.program.errors.contains("HTTP: from the socket"))
    #expect(program.socket.map { FileManager.default.fileExists(atPath: $0) } == false)
  }

  @Test("Trap 26: whoever waits gets the end before the process is gone, every time")
  func waits() async throws {
    for _ in 0..<20 {
      let program = try Stoppable(["free"])
      #expect(await program.answers("GET /readyz", 200))
      let text = await program.ask("POST /shutdown?wait=30s")
      #expect(text?.hasPrefix("HTTP/1.1 200 ") == true && text?.hasSuffix("\"exitCode\":0}\n") == true, "\(text ?? "")")
      #expect(await program.program.end() == .exited(0))
    }
  }

  @Test("whoever watches hears of each step, and of the end")
  func watches() async throws {
    let program = try Stoppable(tcp: true)
    #expect(await program.becomeReady())
    let client = try await program.connect()
    try await client.send(
      "POST /shutdown HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(Stoppable.token)\r\nAccept: text/event-stream\r\n\r\n"
    )
    #expect(await client.reads("event: draining\ndata: {\"state\":\"draining\",\"phasesLeft\":1"))
    program.program.child.signal(SIGUSR2)
    #expect(await client.ends())
    #expect(client.text.hasSuffix("\"exitCode\":0}\n\n\r\n0\r\n\r\n"), "\(client.text)")
    #expect(await program.program.end() == .exited(0))
  }

  @Test("it answers although every thread of the pool is blocked, and says how that ended, before it does")
  func blockedPool() async throws {
    let program = try Stoppable(["pool", "grace=12000"])
    #expect(await program.becomeReady())
    async let end = program.ask("POST /shutdown?wait=30s")
    #expect(await program.answers("GET /readyz", 503))
    #expect(await program.status("GET /livez") == 200)
    #expect(await end?.contains("\"state\":\"stopped\"") == true)
    #expect(await end?.hasSuffix("\"exitCode\":124}\n") == true)
    #expect(await program.program.end() == .exited(124))
  }

  @Test("a preStop hook by GET stops with the token and only with it, and a SIGTERM behind it joins")
  func preStop() async throws {
    let program = try Stoppable(["get"], tcp: true)
    #expect(await program.becomeReady())
    #expect(await program.status("GET /shutdown") == 403)
    #expect(await program.status("GET /shutdown", "X-Stop-Token: \(Stoppable.token)0\r\n") == 403)
    #expect(await program.status("GET /readyz") == 200)
    #expect(await program.status("GET /shutdown", "X-Stop-Token: \(Stoppable.token)\r\n") == 202)
    program.program.child.signal(SIGTERM)
    #expect(await eventually { program.program.errors.contains("SIGTERM") })
    #expect(await program.status("GET /livez") == 200)
    program.program.child.signal(SIGUSR2)
    #expect(await program.program.end() == .exited(0), "\(program.program.errors)")
  }

  @Test("strangers are answered or cut off, cost no descriptor, and it serves on")
  func strangers() async throws {
    let program = try Stoppable(["free"], tcp: true)
    #expect(await program.answers("GET /readyz", 200))
    let pid = program.program.pid
    let descriptors = Observed.descriptors(of: pid)
    var random = SystemRandomNumberGenerator()
    for text in [
      "\u{16}\u{3}\u{1}\u{2}\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GRACEFUL\u{0}\u{1}\r\n", "\u{0}\u{0}\u{0}\u{0}",
    ] {
      let client = try await program.connect()
      try await client.send(text)
      #expect(await client.ends() && client.text.hasPrefix("HTTP/1.1 400 "), "\(client.text)")
      client.close()
    }
    let large = try await program.connect()
    try? await large.send("GET /livez HTTP/1.1\r\nX: \(String(repeating: "a", count: 1_000_000))\r\n\r\n")
    #expect(await large.ends())
    large.close()
    // Those who say nothing, and those who begin and do not go on.
    var crowd: [WireClient] = []
    for number in 0..<1_000 {
      let client = try await program.connect()
      if number % 2 == 0 { try? await client.send("GET /liv") }
      crowd.append(client)
    }
    #expect(await program.status("GET /livez") == 200)
    #expect(Observed.descriptors(of: pid) <= descriptors + 130)
    for number in 0..<50 {
      let wrong = String(number, radix: 16) + String(UInt64.random(in: .min ... .max, using: &random), radix: 16)
      #expect(await program.status("POST /shutdown", "Authorization: Bearer \(wrong)\r\n") == 403)
    }
    #expect(!program.program.errors.contains(Stoppable.token))
    for client in crowd { client.close() }
    #expect(await eventually { Observed.descriptors(of: pid) <= descriptors })
    #expect(await program.status("POST /shutdown", "X-Stop-Token: \(Stoppable.token)\r\n") == 202)
    #expect(await program.program.end() == .exited(0))
  }

  /// Root, with `setpriv` to be another user and `curl` to ask.
  private static let canBeAnother =
    geteuid() == 0
    && ["/usr/bin/setpriv", "/usr/bin/curl"].allSatisfy { FileManager.default.isExecutableFile(atPath: $0) }

  private static func asAnother(_ arguments: [String], in directory: TestDirectory) async throws -> (
    GracefulProcesses.ExitStatus?, String
  ) {
    let curl = try ToolProcess(
      ["--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/curl", "-sS", "-m", "10"] + arguments,
      executable: "/usr/bin/setpriv", in: directory)
    let status = await curl.end()
    return (status, curl.output + curl.errors)
  }

  @Test("another user can stop it neither by the socket, nor over TCP without the token", .enabled(if: canBeAnother))
  func anotherUser() async throws {
    let local = try Stoppable(["free"])
    #expect(await local.answers("GET /readyz", 200))
    let (refused, why) = try await Self.asAnother(
      ["--unix-socket", local.socket ?? "", "-X", "POST", "http://a/shutdown"], in: local.directory)
    #expect(refused == .exited(7), "\(why)")
    #expect(await local.status("GET /readyz") == 200)

    let remote = try Stoppable(["free"], tcp: true)
    #expect(await remote.answers("GET /readyz", 200))
    let url = "http://127.0.0.1:\(remote.port)/shutdown"
    for more in [[], ["-H", "X-Stop-Token: guess"], ["-H", "Authorization: Bearer"]] {
      let (_, text) = try await Self.asAnother(["-X", "POST", "-w", "%{http_code}", url] + more, in: remote.directory)
      #expect(text.hasSuffix("403"), "\(text)")
    }
    let (_, unread) = try await Self.asAnother(["file://\(remote.directory.path("token"))"], in: remote.directory)
    #expect(!unread.contains(Stoppable.token))
    #expect(await remote.status("GET /readyz") == 200)
    let (_, text) = try await Self.asAnother(
      ["-X", "POST", "-H", "X-Stop-Token: \(Stoppable.token)", url + "?wait=20s"], in: remote.directory)
    #expect(text.contains("\"exitCode\":0"))
    #expect(await remote.program.end() == .exited(0))
  }

  @Test("a token file that others can read, or that is empty, starts nothing and is named")
  func badToken() async throws {
    let directory = try TestDirectory()
    for (name, text, mode, reason) in [
      ("open", "0123456789abcdef", 0o644, "others can read the token file"), ("empty", "\n", 0o400, "is empty"),
      ("none", nil as String?, 0, "cannot be read"),
    ] {
      let file = directory.path(name)
      if let text {
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
      }
      let program = try ToolProcess(
        ["http-stopped", "tcp=127.0.0.1:0", "token=\(file)", "free"], executable: "TestProgram", in: directory)
      #expect(await program.end() == .exited(78))
      let said = program.errors.replacingOccurrences(of: "\n! ", with: " ")
      #expect(said.contains(reason) && said.contains(file), "\(said)")
    }
    let tokenless = try ToolProcess(
      ["http-stopped", "tcp=127.0.0.1:0", "free"], executable: "TestProgram", in: directory)
    #expect(await tokenless.end() == .exited(78))
    #expect(tokenless.errors.replacingOccurrences(of: "\n! ", with: " ").contains("demands a token"))
  }
}
