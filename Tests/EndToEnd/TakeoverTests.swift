import Foundation
import GracefulProcesses
import TestHost
import Testing

@Suite("A demo that is replaced", .sharing(.processors), .timeLimit(.minutes(5)))
struct TakeoverTests {
  private func demo(
    _ directory: TestDirectory, _ more: [String] = [], own: [String: String] = [:], executable: String = "graceful"
  ) throws -> ToolProcess {
    try ToolProcess(
      ["demo", "--listen", "127.0.0.1:0", "--socket", directory.path("s")] + more, executable: executable,
      in: directory, own: own)
  }

  @Test("by starting it again: the same port, the next generation, and the old one ends clean")
  func startedAgain() async throws {
    let directory = try TestDirectory()
    let first = try demo(directory)
    let before = try #require(await first.serving())
    let second = try demo(directory)
    let after = try #require(await second.serving(generation: 2), "\(second.errors)")
    #expect(after.port == before.port)
    #expect(await WireClient.answer(port: before.port)?.contains("generation 2 pid \(second.pid)\n") == true)
    #expect(await first.end() == .exited(0))
    #expect(first.errors.contains("asked by successor \(second.pid)"))
    #expect(await eventually { second.errors.contains("the predecessor has ended") })
    #expect(FileManager.default.fileExists(atPath: directory.path("s")))
  }

  @Test("by SIGHUP, five generations in a row, each of which alone answers, and whose descriptors do not grow")
  func generations() async throws {
    let directory = try TestDirectory()
    let first = try demo(directory)
    var serving = try #require(await first.serving())
    var descriptors: [Int] = []
    for generation in 2...6 {
      let old = serving
      kill(old.pid, SIGHUP)
      serving = try #require(await first.serving(generation: generation), "\(first.errors)")
      let pid = serving.pid
      #expect(serving.port == old.port)
      #expect(await eventually { !Observed.lives(old.pid) })
      for _ in 0..<5 {
        let answer = await WireClient.answer(port: serving.port)
        #expect(answer?.contains("generation \(generation) pid \(serving.pid)\n") == true)
      }
      #expect(
        await eventually { first.errors.components(separatedBy: "the predecessor has ended").count == generation })
      // The connections of the questions just asked may still be closing.
      let allowed = descriptors.first ?? .max
      #expect(await eventually { Observed.descriptors(of: pid) <= allowed }, "generation \(generation)")
      descriptors.append(Observed.descriptors(of: pid))
    }
    #expect(!first.errors.contains("the predecessor has died"))
  }

  @Test("while a response is slow, half a body has come, a stream flows and clients are idle: all of them complete")
  func underWork() async throws {
    let directory = try TestDirectory()
    let first = try demo(directory)
    let serving = try #require(await first.serving())
    let slow = try await WireClient.connect(port: serving.port)
    let stream = try await WireClient.connect(port: serving.port)
    let half = try await WireClient.connect(port: serving.port)
    let idle = try await WireClient.connect(port: serving.port)
    let pipelined = try await WireClient.connect(port: serving.port)
    try await idle.get()
    #expect(await idle.reads("generation 1"))
    try await slow.get("/slow?ms=1000")
    try await stream.get("/stream?ms=1000")
    #expect(await stream.reads("piece 1"))
    try await half.send("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhello")
    try await pipelined.send(
      "GET /slow?ms=900 HTTP/1.1\r\nHost: test\r\n\r\n"
        + "GET /?last HTTP/1.1\r\nHost: test\r\nX-Request-Id: last\r\n\r\n")
    await DemoTests.accepted(by: serving)
    let second = try demo(directory)
    _ = try #require(await second.serving(generation: 2))
    try await half.send("world")
    #expect(await half.reads("\r\n\r\nhelloworld"))
    #expect(await slow.reads("slow\n"))
    #expect(await stream.reads("piece 10 of 10\n\r\n0\r\n\r\n"))
    #expect(await pipelined.reads("generation 1"))
    #expect(pipelined.text.contains("X-Request-Id: last") && pipelined.text.contains("slow\n"))
    // Idle now, or told by the last answer: each is served until it has been told, once, and never cut before.
    for client in [slow, stream, half, idle, pipelined] {
      #expect(await client.isServedUntilTold(), "\(client.text)")
      #expect(await client.ends() && client.error == nil)
    }
    for client in [slow, stream, half, idle, pipelined] { client.close() }
    #expect(await first.end() == .exited(0), "\(first.errors)")
  }

  @Test("a second SIGHUP during one is logged and joins")
  func joins() async throws {
    let directory = try TestDirectory()
    let first = try demo(directory)
    let serving = try #require(await first.serving())
    // A successor that pauses, started by hand: the handover goes on while both signals come.
    let successor = try demo(directory, own: ["GRACEFUL_REHEARSAL_PAUSE": "1"])
    #expect(await eventually { successor.output.contains("paused") })
    for number in 1...2 {
      first.child.signal(SIGHUP)
      #expect(
        await eventually { first.errors.components(separatedBy: "a restart is going on already").count == number + 1 })
    }
    successor.child.signal(SIGKILL)
    #expect(await eventually { first.errors.contains("the successor failed; serving on") })
    first.child.signal(SIGHUP)
    #expect(await first.serving(generation: 2)?.port == serving.port)
    #expect(await first.end() == .exited(0))
    #expect(first.servings.count == 2)
  }

  @Test("a SIGHUP whose executable is gone, broken or ends at once is logged, and it serves on; a new file is found")
  func executableReplaced() async throws {
    let directory = try TestDirectory()
    let copy = directory.path("server")
    try FileManager.default.copyItem(at: ToolProcess.built("graceful"), to: URL(fileURLWithPath: copy))
    let first = try demo(directory, executable: copy)
    let serving = try #require(await first.serving())

    // As a deploy does it: the file is replaced, and the process runs on with the old one.
    let deploys: [(script: String?, says: String)] = [
      (nil, "No such file"), ("#!/bin/sh\nexit 3\n", "exited with code 3"),
      ("#!/nonexistent/interpreter\n", "No such file"),
    ]
    for (number, deploy) in deploys.enumerated() {
      try? FileManager.default.removeItem(atPath: copy)
      if let script = deploy.script {
        try script.write(toFile: copy, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: copy)
      }
      first.child.signal(SIGHUP)
      #expect(
        await eventually { first.errors.components(separatedBy: "the restart failed; serving on").count == number + 2 },
        "\(first.errors)")
      #expect(first.errors.contains(deploy.says), "\(first.errors)")
      #expect(await WireClient.answer(port: serving.port)?.contains("generation 1") == true)
    }
    try FileManager.default.removeItem(atPath: copy)
    try FileManager.default.copyItem(at: ToolProcess.built("graceful"), to: URL(fileURLWithPath: copy))
    first.child.signal(SIGHUP)
    #expect(await first.serving(generation: 2)?.port == serving.port)
    #expect(await first.end() == .exited(0))
  }

  @Test("a successor that is killed before it is ready costs nothing, and the next one takes over")
  func killedBeforeReady() async throws {
    let directory = try TestDirectory()
    let first = try demo(directory)
    let serving = try #require(await first.serving())
    let descriptors = Observed.descriptors(of: serving.pid)
    for round in 1...3 {
      let successor = try demo(directory, own: ["GRACEFUL_REHEARSAL_PAUSE": "1"])
      #expect(await eventually { successor.output.contains("paused pid \(successor.pid)") })
      successor.child.signal(SIGKILL)
      #expect(
        await eventually { first.errors.components(separatedBy: "the successor failed; serving on").count == round + 1 }
      )
      #expect(await WireClient.answer(port: serving.port)?.contains("generation 1") == true)
    }
    #expect(await eventually { Observed.descriptors(of: serving.pid) <= descriptors })
    let second = try demo(directory)
    #expect(await second.serving(generation: 2)?.port == serving.port)
    #expect(await first.end() == .exited(0))
  }

  @Test("a successor that hangs before it is ready is given up after ten seconds, and killed")
  func hangsBeforeReady() async throws {
    let directory = try TestDirectory()
    let first = try demo(directory)
    let serving = try #require(await first.serving())
    let successor = try demo(directory, own: ["GRACEFUL_REHEARSAL_PAUSE": "1"])
    #expect(await eventually { successor.output.contains("paused") })
    successor.child.signal(SIGSTOP)
    let another = try demo(directory)
    #expect(await another.end() == .exited(1))
    #expect(another.errors.contains("a handover to process \(successor.pid) is going on"), "\(another.errors)")
    #expect(await successor.end(within: .seconds(30)) == .signaled(SIGKILL))
    #expect(first.errors.contains("the successor is given up; serving on"))
    #expect(await WireClient.answer(port: serving.port)?.contains("generation 1") == true)
    let second = try demo(directory)
    #expect(await second.serving(generation: 2)?.port == serving.port)
  }

  @Test("two that start first at once: one binds, the other takes over from it", .serialized, arguments: 1...5)
  func twoAtOnce(round: Int) async throws {
    let directory = try TestDirectory()
    let both = [try demo(directory), try demo(directory)]
    #expect(await eventually { both.contains { $0.servings.contains { $0.generation == 2 } } }, "\(both.map(\.errors))")
    let servings = both.flatMap(\.servings)
    #expect(servings.map(\.generation).sorted() == [1, 2])
    #expect(Set(servings.map(\.port)).count == 1)
    let old = try #require(both.first { $0.servings.first?.generation == 1 })
    #expect(await old.end() == .exited(0))
  }

  @Test("after a SIGKILL, the next one starts as the first on the path that was left")
  func stalePath() async throws {
    let directory = try TestDirectory()
    let first = try demo(directory)
    _ = try #require(await first.serving())
    first.child.signal(SIGKILL)
    #expect(await first.end() == .signaled(SIGKILL))
    #expect(FileManager.default.fileExists(atPath: directory.path("s")))
    let second = try demo(directory)
    #expect(await second.serving(generation: 1) != nil)
  }

  @Test("one that is told to stop lets the next one start as the first, while it still answers what it had")
  func stoppingMeanwhile() async throws {
    let directory = try TestDirectory()
    let first = try demo(directory)
    let serving = try #require(await first.serving())
    let slow = try await WireClient.connect(port: serving.port)
    try await slow.get("/slow?ms=1500")
    await DemoTests.accepted(by: serving)
    first.child.signal(SIGTERM)
    let second = try ToolProcess(
      ["demo", "--listen", "127.0.0.1:\(serving.port)", "--socket", directory.path("s")], in: directory)
    #expect(await second.serving(generation: 1)?.port == serving.port, "\(second.errors)")
    #expect(await slow.reads("slow\n"))
    #expect(await first.end() == .exited(0))
    #expect(await WireClient.answer(port: serving.port)?.contains("pid \(second.pid)\n") == true)
  }

  @Test("one that is told to stop during a handover lets the successor have it while it drains")
  func stoppedDuringAHandover() async throws {
    let directory = try TestDirectory()
    let first = try demo(directory, ["--drain-limit", "1m"])
    let serving = try #require(await first.serving())
    let slow = try await WireClient.connect(port: serving.port)
    try await slow.get("/slow?ms=10000")
    await DemoTests.accepted(by: serving)
    let successor = try ToolProcess(
      ["handover-peer", "late", directory.path("s"), directory.path("go")], executable: "TestProgram", in: directory)
    #expect(await eventually { successor.output.contains("has the offer") })
    first.child.signal(SIGTERM)
    #expect(await eventually { first.errors.contains("stop requested") })
    // Its own listener may be closed by now; the successor's copy keeps the queue.
    let early = try await WireClient.connect(port: serving.port)
    _ = FileManager.default.createFile(atPath: directory.path("go"), contents: nil)
    #expect(await eventually { successor.output.contains("released") }, "\(first.errors)")
    #expect(first.child.status == nil)
    #expect(await slow.reads("slow\n"))
    #expect(!early.ended)
    slow.close()
    // The first process may have accepted it before its listener was closed, and would wait for it for a minute.
    early.close()
    #expect(await first.end() == .exited(0), "\(first.errors)")
    #expect(FileManager.default.fileExists(atPath: directory.path("s")))
  }

  @Test("without a socket path, those on the same address find each other in a directory of the user's own")
  func defaultSocket() async throws {
    let directory = try TestDirectory()
    func start() throws -> ToolProcess {
      try ToolProcess(["demo", "--listen", "127.0.0.1:0"], in: directory, own: ["XDG_RUNTIME_DIR": directory.path("")])
    }
    let first = try start()
    let serving = try #require(await first.serving(), "\(first.errors)")
    let own = directory.path("graceful")
    let attributes = try FileManager.default.attributesOfItem(atPath: own)
    #expect(attributes[.posixPermissions] as? Int == 0o700)
    let socket = try FileManager.default.attributesOfItem(atPath: own + "/demo-127.0.0.1-0.sock")
    #expect(socket[.posixPermissions] as? Int == 0o600)
    let second = try start()
    #expect(await second.serving(generation: 2)?.port == serving.port)
    #expect(await first.end() == .exited(0))
  }

  @Test("a relative executable in a release directory that a link leads to is found in the new release")
  func symbolicLink() async throws {
    let directory = try TestDirectory()
    for release in ["one", "two"] {
      try FileManager.default.createDirectory(atPath: directory.path(release), withIntermediateDirectories: false)
      try FileManager.default.copyItem(
        at: ToolProcess.built("graceful"), to: URL(fileURLWithPath: directory.path(release + "/server")))
    }
    let current = directory.path("current")
    try FileManager.default.createSymbolicLink(atPath: current, withDestinationPath: "one")
    let first = try ToolProcess(
      ["-c", "cd \(current) && exec ./server demo --listen 127.0.0.1:0 --socket \(directory.path("s"))"],
      executable: "/bin/sh", in: directory)
    let serving = try #require(await first.serving(), "\(first.errors)")
    try FileManager.default.removeItem(atPath: current)
    try FileManager.default.createSymbolicLink(atPath: current, withDestinationPath: "two")
    try FileManager.default.removeItem(atPath: directory.path("one"))
    first.child.signal(SIGHUP)
    let second = try #require(await first.serving(generation: 2), "\(first.errors)")
    #expect(second.port == serving.port)
    let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(second.pid)/exe")
    #expect(executable.hasSuffix("/two/server"))
  }
}
