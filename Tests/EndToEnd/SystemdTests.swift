import CGracefulSystem
import Foundation
import GracefulProcesses
import Synchronization
import TestHost
import Testing

/// With a datagram socket in the place of systemd.
@Suite("The demo under systemd", .sharing(.processors), .timeLimit(.minutes(3)))
struct SystemdTests {
  private func demo(_ directory: TestDirectory, _ own: [String: String]) throws -> ToolProcess {
    try ToolProcess(["demo", "--listen", "127.0.0.1:0", "--socket", directory.path("s")], in: directory, own: own)
  }

  @Test("says READY=1 when it serves, STOPPING=1 when it is stopped, and what it ended with")
  func course() async throws {
    let directory = try TestDirectory()
    let manager = try NotifyListener(directory.path("notify"))
    let demo = try demo(directory, ["NOTIFY_SOCKET": directory.path("notify")])
    _ = try #require(await demo.serving())
    #expect(await eventually { manager.messages.contains { $0.hasPrefix("READY=1\n") } })
    #expect(!manager.messages.contains { $0.hasPrefix("STOPPING=1") })
    demo.child.signal(SIGTERM)
    #expect(await demo.end() == .exited(0), "\(demo.errors)")
    #expect(await eventually { manager.messages.last == "STATUS=stopped, exit 0" })
    let messages = manager.messages
    #expect(messages.contains("STOPPING=1\nSTATUS=stopping, asked by SIGTERM"), "\(messages)")
    #expect(messages.contains { $0.contains("EXTEND_TIMEOUT_USEC=10000000") }, "\(messages)")
  }

  @Test("names what drains, once a second, while a request is slow")
  func draining() async throws {
    let directory = try TestDirectory()
    let manager = try NotifyListener(directory.path("notify"))
    let demo = try demo(directory, ["NOTIFY_SOCKET": directory.path("notify")])
    let serving = try #require(await demo.serving())
    let slow = try await WireClient.connect(port: serving.port)
    try await slow.get("/stream?ms=4000")
    #expect(await slow.reads("chunked"))
    demo.child.signal(SIGTERM)
    #expect(await eventually { manager.messages.contains { $0.contains("draining http") } }, "\(manager.messages)")
    #expect(await demo.end() == .exited(0), "\(demo.errors)")
    print("systemd was told:\n\(manager.messages.joined(separator: "\n"))")
  }

  @Test("keeps the main process until it has drained, then names its successor, which speaks from then on")
  func handover() async throws {
    let directory = try TestDirectory()
    let manager = try NotifyListener(directory.path("notify"))
    let demo = try demo(directory, ["NOTIFY_SOCKET": directory.path("notify")])
    let first = try #require(await demo.serving())
    #expect(await eventually { manager.messages.contains { $0.hasPrefix("READY=1\n") } })
    kill(first.pid, SIGHUP)
    let second = try #require(await demo.serving(generation: 2), "\(demo.errors)")
    #expect(await eventually { !Observed.lives(first.pid) })
    let own = "MAINPID=\(second.pid)\nREADY=1\nSTATUS=running"
    #expect(await eventually { manager.messages.contains(own) }, "\(manager.messages)\n\(demo.errors)")
    let messages = manager.messages
    let word = "MAINPID=\(second.pid)\nSTATUS=handed over to process \(second.pid)"
    let (before, after) = (messages.firstIndex(of: word), messages.firstIndex(of: own))
    #expect(before.flatMap { before in after.map { before < $0 } } == true, "\(messages)")
    #expect(!messages.contains { $0.contains("STOPPING=1") }, "it would be the end of both")
    #expect(messages.count { $0.hasPrefix("READY=1") } == 1, "the successor kept silent until then")
    print("systemd was told:\n\(messages.joined(separator: "\n"))")
    kill(second.pid, SIGTERM)
    #expect(await eventually { manager.messages.last == "STATUS=stopped, exit 0" })
    #expect(manager.messages.contains { $0.hasPrefix("STOPPING=1") })
  }

  /// This process is the demo's parent: it says that it is the user's manager.
  private func demoOfManager(
    _ directory: TestDirectory, _ own: [String: String] = [:], executable: String = "graceful"
  ) throws -> ToolProcess {
    try ToolProcess(
      ["demo", "--listen", "127.0.0.1:0", "--socket", directory.path("s")], executable: executable, in: directory,
      own: own.merging(["NOTIFY_SOCKET": directory.path("notify"), "MANAGERPID": "\(getpid())"]) { $1 })
  }

  /// How a process ended that its predecessor has made a child of this one.
  private func end(of pid: Int32) async -> Int32? {
    // A process whose first thread has ended, and not yet the others, looks like a zombie and is none.
    let code = Mutex<Int32?>(nil)
    _ = await eventually {
      var how = cgs_exit()
      guard cgs_reap(pid, &how) >= 0 else { return true }
      if how.pid == pid { code.withLock { $0 = how.signaled == 1 ? 128 + how.code : how.code } }
      return how.pid == pid
    }
    return code.withLock { $0 }
  }

  @Test("has its successors made children of systemd: in each generation, with SIGHUP, and they end when they are told")
  func successorsOfSystemd() async throws {
    let directory = try TestDirectory()
    let manager = try NotifyListener(directory.path("notify"))
    let demo = try demoOfManager(directory, ["SYSTEMD_EXEC_PID": "1"])
    var serving = try #require(await demo.serving())
    for generation in 2...4 {
      let before = serving
      kill(before.pid, SIGHUP)
      serving = try #require(await demo.serving(generation: generation), "\(demo.errors)")
      // While its predecessor lives: that drains, or waits for its probation to be over.
      #expect(ProcessTable.entry(ProcessID(rawValue: serving.pid))?.parent == .current)
      let environment = try Data(contentsOf: URL(fileURLWithPath: "/proc/\(serving.pid)/environ"))
      #expect(environment.range(of: Data("SYSTEMD_EXEC_PID=".utf8)) == nil, "it would name another process")
      if generation == 2 {
        #expect(await demo.end() == .exited(0), "\(demo.errors)")
      } else {
        #expect(await end(of: before.pid) == 0, "\(demo.errors)")
      }
      let named = "MAINPID=\(serving.pid)\nREADY=1\nSTATUS=running"
      #expect(
        await eventually { manager.messages.contains(named) },
        "\(manager.messages)")
    }
    kill(serving.pid, SIGTERM)
    #expect(await end(of: serving.pid) == 0, "\(demo.errors)")
  }

  @Test("serves on when a successor that is systemd's child fails, says why, and is taken over from by the next one")
  func failedSuccessor() async throws {
    let directory = try TestDirectory()
    let manager = try NotifyListener(directory.path("notify"))
    let program = directory.path("graceful")
    let good = try ToolProcess.built("graceful").path
    func deploy(_ content: String?) throws {
      try? FileManager.default.removeItem(atPath: program)
      guard let content else {
        return try FileManager.default.createSymbolicLink(atPath: program, withDestinationPath: good)
      }
      try Data(content.utf8).write(to: URL(fileURLWithPath: program))
      try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: program)
    }
    try deploy(nil)
    let demo = try demoOfManager(directory, executable: program)
    let first = try #require(await demo.serving())
    try deploy("#!/bin/sh\necho \"broken $$ of $PPID\" >&2; exit 3\n")
    kill(first.pid, SIGHUP)
    #expect(await eventually { demo.errors.contains("ended before it asked to take over") }, "\(demo.errors)")
    let words = demo.errors.split(separator: "\n").first { $0.hasPrefix("broken ") }?.split(separator: " ") ?? []
    #expect(words.last == "\(getpid())", "\(demo.errors)")
    #expect(await end(of: words.dropFirst().first.flatMap { Int32($0) } ?? 0) == 3)
    try deploy("no program\n")
    kill(first.pid, SIGHUP)
    #expect(await eventually { demo.errors.contains("Exec format error") }, "\(demo.errors)")
    #expect(await WireClient.answer(port: first.port)?.contains("generation 1") == true)
    try deploy(nil)
    kill(first.pid, SIGHUP)
    let second = try #require(await demo.serving(generation: 2), "\(demo.errors)")
    #expect(await demo.end() == .exited(0), "\(demo.errors)")
    #expect(await eventually { manager.messages.contains("MAINPID=\(second.pid)\nREADY=1\nSTATUS=running") })
    kill(second.pid, SIGTERM)
    #expect(await end(of: second.pid) == 0, "\(demo.errors)")
  }

  @Test(
    "serves all the same when nobody listens there, or it is no address, with one warning", .serialized,
    arguments: ["nobody", "vsock:2:1", "@" + String(repeating: "x", count: 300)])
  func nobody(address: String) async throws {
    let directory = try TestDirectory()
    let demo = try demo(directory, ["NOTIFY_SOCKET": address == "nobody" ? directory.path("notify") : address])
    _ = try #require(await demo.serving())
    demo.child.signal(SIGTERM)
    #expect(await demo.end() == .exited(0), "\(demo.errors)")
    #expect(demo.errors.split(separator: "\n").count { $0.contains("warning") } == 1, "\(demo.errors)")
  }
}

/// A datagram socket that keeps what it hears.
private final class NotifyListener: Sendable {
  private let descriptor: Int32
  private let heard = Lines()

  struct Failure: Error { var result: Int32 }

  init(_ path: String) throws {
    descriptor = cgs_unix_datagram_socket()
    let result = cgs_unix_datagram_bind(descriptor, path, path.utf8.count)
    guard result >= 0 else { throw Failure(result: result) }
  }

  deinit { _ = cgs_close(descriptor) }

  var messages: [String] {
    var bytes = [UInt8](repeating: 0, count: 8192)
    var new: [String] = []
    while true {
      let count = cgs_read(descriptor, &bytes, bytes.count)
      guard count > 0 else { break }
      new.append(String(decoding: bytes[..<count], as: UTF8.self))
    }
    return heard.adding(new)
  }
}

private final class Lines: Sendable {
  private let lines = Mutex<[String]>([])

  func adding(_ new: [String]) -> [String] {
    lines.withLock { lines in
      lines += new
      return lines
    }
  }
}
