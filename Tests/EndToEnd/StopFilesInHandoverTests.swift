import CGracefulSystem
import Foundation
import GracefulProcesses
import TestHost
import Testing

/// A client that asks for the end of the program is told of that, and not of the end of one of its processes (T2).
@Suite("Stopping while one process takes over from another", .sharing(.processors), .timeLimit(.minutes(3)))
struct StopFilesInHandoverTests {
  private func demo(_ directory: TestDirectory, pauses: Bool = false) throws -> ToolProcess {
    try ToolProcess(
      [
        "demo", "--listen", "127.0.0.1:0", "--socket", directory.path("s"), "--stop-files", directory.path("f"),
        "--http", directory.path("h"),
      ],
      in: directory, own: pauses ? ["GRACEFUL_REHEARSAL_PAUSE": "1"] : [:])
  }

  private func files() throws -> TestDirectory {
    let directory = try TestDirectory()
    #expect(cgs_make_directory(directory.path("f"), 0o700) == 0)
    return directory
  }

  private func has(_ name: String, _ directory: TestDirectory) -> Bool {
    var status = cgs_file_status()
    return cgs_link_status(directory.path("f/\(name)"), &status) == 0
  }

  private func ask(_ directory: TestDirectory) {
    _ = cgs_close(cgs_create_file(directory.path("f/process.stop"), 0o600))
  }

  @Test(
    "A successor that ends before it has taken over gives no answer; the one that serves does", .serialized,
    arguments: [9, 15])
  func successorEnds(signal: Int32) async throws {
    let directory = try files()
    let first = try demo(directory)
    #expect(await first.serving() != nil)
    let second = try demo(directory, pauses: true)
    #expect(await eventually { second.output.contains("paused") })
    second.child.signal(signal)
    #expect(await second.end() != nil)
    #expect(await eventually { first.errors.contains("serving on") })
    #expect(!has("process.stopped", directory) && first.child.status == nil)
    ask(directory)
    #expect(await first.end() == .exited(0), "\(first.errors)")
    #expect(has("process.stopped", directory) && !has("process.stop", directory))
  }

  @Test("A request that comes in a handover waits for its end: one that fails stops the predecessor")
  func failed() async throws {
    let directory = try files()
    let first = try demo(directory)
    #expect(await first.serving() != nil)
    let second = try demo(directory, pauses: true)
    #expect(await eventually { second.output.contains("paused") })
    ask(directory)
    // Looked at: the same process is asked over HTTP, and answers that this is not known yet.
    let client = try await WireClient.connect(socket: directory.path("h"))
    try await client.send("POST /shutdown HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(await client.ends() && client.text.contains("503") && client.text.contains("a handover is going on"))
    client.close()
    #expect(has("process.stop", directory) && first.child.status == nil)
    second.child.signal(9)
    #expect(await first.end() == .exited(0), "\(first.errors)")
    #expect(first.errors.contains("asked by stop file") && has("process.stopped", directory))
    #expect(!has("process.stop", directory))
  }

  @Test(
    "A request that comes when a successor has taken over stops that one, while the predecessor drains")
  func takenOver() async throws {
    let directory = try files()
    let first = try demo(directory)
    let serving = try #require(await first.serving())
    // It holds the predecessor up, which has nothing to answer.
    let slow = try await WireClient.connect(port: serving.port)
    try await slow.get("/slow?ms=1500")
    await DemoTests.accepted(by: serving)
    let second = try demo(directory)
    #expect(await second.serving(generation: 2) != nil)
    ask(directory)
    #expect(await second.end() == .exited(0), "\(second.errors)")
    #expect(second.errors.contains("asked by stop file") && has("process.stopped", directory))
    let answer = directory.read("f/process.stopped")
    #expect(answer.hasPrefix("\(second.pid) "))
    #expect(await first.end() == .exited(0), "\(first.errors)")
    #expect(directory.read("f/process.stopped") == answer && !has("process.stop.lock", directory))
    slow.close()
  }
}
