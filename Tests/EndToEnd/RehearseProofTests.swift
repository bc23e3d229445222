import Foundation
import GracefulProcesses
import TestHost
import Testing

/// Servers that were taken for restarted, or for lossless, and were not; and others that were taken for faulty.
@Suite("What a rehearsal believes", .sharing(.processors), .timeLimit(.minutes(5)))
struct RehearseProofTests {
  private let directory: TestDirectory
  private let port: UInt16

  init() throws {
    directory = try TestDirectory()
    port = try RehearseTests.freePort()
  }

  private func server(_ arguments: String = "") throws -> String {
    "\(try ToolProcess.built("FaultyServer").path) --listen 127.0.0.1:\(port) \(arguments)"
  }

  private func rehearse(
    _ arguments: [String], _ script: String, path: String = ""
  ) async throws -> (status: GracefulProcesses.ExitStatus?, report: RehearsalReport, errors: String) {
    let tool = try ToolProcess(
      [
        "rehearse", "--json", "-", "--steady", "300ms", "--interval", "300ms", "--connections", "4", "--url",
        "http://127.0.0.1:\(port)/\(path)",
      ] + arguments + ["--", "sh", "-c", script], in: directory)
    let status = await tool.end(within: .seconds(90))
    return (status, try RehearsalReport(tool.output), tool.errors)
  }

  @Test("A server that boots longer than the interval and then loses requests has lost them")
  func lossyAndSlow() async throws {
    let file = directory.path("old")
    let script =
      "if [ -f \(file) ]; then sleep 2; kill -9 $(cat \(file)); sleep 0.3; fi; echo $$ >\(file); exec \(try server())"
    let run = try await rehearse(["--restarts", "1"], script)
    #expect(run.status == .exited(1), "\(run.errors)")
    #expect(run.report.outcomes == ["served"] && run.report.proofs == ["connection"])
    #expect((run.report.failed["refused"] ?? 0) > 0, "\(run.report.failed)")
  }

  @Test("A server that ignores the signal and starts processes all the time was not restarted")
  func deaf() async throws {
    let script = "trap '' HUP; \(try server()) & while :; do sleep 0.02; done"
    let run = try await rehearse(["--restarts", "2", "--restart", "signal:HUP", "--ready-limit", "1s"], script)
    #expect(run.status == .exited(2), "\(run.errors)")
    #expect(run.report.outcomes == ["gaveUp", "gaveUp"])
    #expect(run.errors.contains("only 0 of 2 restarts"))
  }

  @Test("A server that does not say who it is, is known by its connections")
  func byConnection() async throws {
    let demo =
      "exec \(try ToolProcess.built("graceful").path) demo --listen 127.0.0.1:\(port) --socket \(directory.path("s"))"
    let run = try await rehearse(["--restarts", "2"], demo, path: "slow?ms=0")
    #expect(run.status == .exited(0), "\(run.errors)")
    #expect(run.report.outcomes == ["served", "served"] && run.report.proofs == ["connection", "connection"])
    #expect(Set(run.report.pids).count == 2 && run.report.oldPids.count == 2)
  }

  @Test("A server that says who it is, is believed")
  func byWord() async throws {
    let demo =
      "exec \(try ToolProcess.built("graceful").path) demo --listen 127.0.0.1:\(port) --socket \(directory.path("s"))"
    let run = try await rehearse(["--restarts", "1"], demo)
    #expect(run.status == .exited(0), "\(run.errors)")
    #expect(run.report.proofs == ["word"])
  }

  @Test("A server that goes into the background twice is not taken for ended")
  func daemon() async throws {
    let script = "( (sleep 0.3; exec \(try server())) & ) & exit 0"
    let run = try await rehearse(["--restarts", "0"], script)
    #expect(run.status == .exited(0), "\(run.errors)")
  }

  @Test(
    "A process that is older than the command is never signalled, whatever the file says", .serialized,
    arguments: [["--restart", "signal:HUP"], ["--stop", "signal:TERM"], ["--restart", "command:kill {pid}"]])
  func stranger(way: [String]) async throws {
    let stranger = try ToolProcess(["600"], executable: "/bin/sleep", in: directory)
    try Data("\(stranger.pid)\n".utf8).write(to: URL(fileURLWithPath: directory.path("pid")))
    let run = try await rehearse(
      ["--restarts", "1", "--pid-file", directory.path("pid")] + way, "exec \(try server())")
    #expect(run.status == .exited(2), "\(run.errors)")
    #expect(run.errors.contains("names process \(stranger.pid) (sleep), which is older than the server's command"))
    #expect(Observed.lives(stranger.pid))
  }

  @Test("A server that is never ready: what it answered is said")
  func neverReady() async throws {
    let tool = try ToolProcess(
      ["rehearse", "--ready-limit", "500ms", "--url", "http://127.0.0.1:\(port)/", "--", "sh", "-c"]
        + ["exec \(try server("--bad-status-every 1"))"], in: directory)
    #expect(await tool.end(within: .seconds(60)) == .exited(2))
    #expect(tool.output.contains("it answered 503 from 127.0.0.1"), "\(tool.output)")
  }
}
