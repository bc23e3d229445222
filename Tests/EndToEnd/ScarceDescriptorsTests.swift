import Foundation
import GracefulProcesses
import TestHost
import Testing

@Suite("A demo whose clients take all descriptors", .sharing(.processors), .timeLimit(.minutes(2)))
struct ScarceDescriptorsTests {
  @Test("is seen, restarted and stopped by commands, and says a few times only that it cannot accept")
  func commands() async throws {
    let directory = try TestDirectory()
    let socket = directory.path("s")
    let graceful = try ToolProcess.built("graceful").path
    let first = try ToolProcess(
      ["-c", "ulimit -n 50; exec '\(graceful)' demo --listen 127.0.0.1:0 --socket '\(socket)' --drain-limit 2s"],
      executable: "/bin/sh", in: directory)
    let serving = try #require(await first.serving(), "\(first.errors)")
    var clients: [WireClient] = []
    for _ in 0..<60 { clients.append(try await WireClient.connect(port: serving.port)) }
    #expect(await eventually { first.errors.contains("accepting failed") })
    for _ in 0..<5 {
      let status = try await CommandRun(["status", "--socket", socket], in: directory)
      #expect(status.status == .exited(0), "\(status.errors)")
    }
    let restart = try await CommandRun(["restart", "--socket", socket], in: directory)
    #expect(restart.status == .exited(0), "\(restart.errors) \(first.errors)")
    let second = try #require(await first.serving(generation: 2), "\(first.errors)")
    #expect(second.port == serving.port)
    #expect(first.errors.components(separatedBy: "accepting failed").count < 6)
    let stop = try await CommandRun(["stop", "--socket", socket], in: directory)
    #expect(stop.status == .exited(0), "\(stop.errors)")
    for client in clients { client.close() }
  }
}
