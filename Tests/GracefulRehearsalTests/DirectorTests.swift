import Foundation
import GracefulProcesses
import SchemaChecking
import Synchronization
import TestHost
import Testing

@testable import GracefulRehearsal

@Suite("A whole rehearsal of a stand-in", .sharing(.processors), .timeLimit(.minutes(3)))
struct DirectorTests {
  static let quick = ["--steady", "300ms", "--interval", "300ms", "--connections", "2"]

  @Test("Each restart is reported with its processes, and nothing is left") func startAgain() async throws {
    let run = try await RehearsalProcess.run(Self.quick + ["--restarts", "3"])
    // The stand-in hands over so crudely that a request may be lost: then the verdict must say so.
    #expect(["passed", "failed"].contains(run.verdict), "\(run.errors)")
    #expect(run.status == .exited(run.verdict == "passed" ? 0 : 1))
    #expect(run.outcomes == ["served", "served", "served"])
    #expect(run.restarts.compactMap { $0["generation"] as? Int } == [2, 3, 4])
    #expect(run.restarts.compactMap { $0["oldExitCode"] as? Int } == [143, 143, 143])
    #expect(run.restarts.compactMap { $0["servingAfterMs"] as? Double }.count == 3)
    #expect(run.restarts.compactMap { $0["oldExitedAfterMs"] as? Double }.count == 3)
    // The successor of one restart is the old process of the next.
    #expect(
      run.restarts.dropLast().compactMap { $0["pid"] as? Int }
        == run.restarts.dropFirst().compactMap { $0["oldPid"] as? Int })
    #expect(run.alive == [])
    let socket = try #require(run.command.last)
    #expect(socket.hasPrefix("/tmp/graceful-"))
    #expect(!FileManager.default.fileExists(atPath: String(socket.dropLast(2))), "its directory is removed")
    #expect(try SchemaChecker("rehearsal-report-1").problems(in: run.report) == [])
    let keepalive = try #require((run.report["load"] as? [String: Any])?["keepalive"] as? [String: Any])
    let failed = try #require(keepalive["failed"] as? [String: Int])
    #expect(keepalive["requests"] as? Int == (keepalive["answered"] as? Int ?? 0) + failed.values.reduce(0, +))
  }

  @Test("A shell command restarts it too, with the newest process in its place") func command() async throws {
    let run = try await RehearsalProcess.run(
      Self.quick + ["--restarts", "2", "--trust-restart", "--restart", "command:kill -0 {pid} && exit 0"])
    #expect(run.verdict == "passed", "\(run.errors)")
    #expect(run.outcomes == ["served", "served"])
    #expect(run.restarts.compactMap { $0["provenBy"] as? String } == ["trust", "trust"])
    #expect(run.errors.contains("2 of them on trust"))
  }

  @Test("A shell command that exits with 0 and restarts nothing is no restart") func nothingDone() async throws {
    let run = try await RehearsalProcess.run(
      Self.quick + ["--restarts", "2", "--ready-limit", "700ms", "--restart", "command:true"])
    #expect(run.status == .exited(2))
    #expect(run.outcomes == ["gaveUp", "gaveUp"])
    #expect(run.errors.contains("only 0 of 2 restarts"), "\(run.errors)")
    #expect(run.errors.contains("restart 1: process"), "\(run.errors)")
    #expect(try SchemaChecker("rehearsal-report-1").problems(in: run.report) == [])
  }

  @Test("Without a restart nothing is known about restarts, and the sentence says so") func noRestart() async throws {
    let run = try await RehearsalProcess.run(Self.quick + ["--restarts", "0"])
    #expect(run.status == .exited(0), "\(run.errors)")
    #expect(run.errors.contains("nothing is known about restarts"), "\(run.errors)")
  }

  @Test("An answer slower than it may be fails it") func tooSlow() async throws {
    let run = try await RehearsalProcess.run(Self.quick + ["--restarts", "0", "--max-p99", "0ms"])
    #expect(run.status == .exited(1))
    #expect(run.errors.contains("above --max-p99"), "\(run.errors)")
  }

  @Test("A command that fails is a failed restart, and too few restarts are no pass") func failingCommand() async throws
  {
    let run = try await RehearsalProcess.run(Self.quick + ["--restarts", "2", "--restart", "command:exit 3"])
    #expect(run.outcomes == ["failed", "failed"])
    #expect(run.status == .exited(2))
    #expect(run.errors.contains("only 0 of 2 restarts"))
  }

  @Test("A successor that ends at once has failed, and the old one is rehearsed on") func failingSuccessor()
    async throws
  {
    let run = try await RehearsalProcess.run(Self.quick + ["--restarts", "2"], standIn: "fails")
    #expect(run.outcomes == ["failed", "failed"])
    #expect(run.restarts.allSatisfy { $0["oldExitedAfterMs"] is NSNull })
    #expect(run.status == .exited(2))
    #expect(run.alive == [])
  }

  @Test("A successor that is killed before it is ready fails its restart, and explains it") func killed() async throws {
    let run = try await RehearsalProcess.run(Self.quick + ["--restarts", "2", "--fault", "kill-before-ready"])
    #expect(run.outcomes == ["served", "failed"])
    #expect(["passed", "failed"].contains(run.verdict), "\(run.errors)")
    #expect(run.alive == [])
  }

  @Test("An old process that does not end is left over, and killed") func leftOver() async throws {
    let run = try await RehearsalProcess.run(
      Self.quick + ["--restarts", "1", "--left-over-limit", "500ms"], standIn: "stays")
    let left = run.report["leftOver"] as? [Int] ?? []
    #expect(left.count == 1)
    #expect(left.first == run.restarts.first?["oldPid"] as? Int)
    #expect(run.verdict == "failed")
    #expect(run.status == .exited(1))
    #expect(run.alive == [])
  }

  @Test("A stopped successor that nobody ends is left over, and killed") func hung() async throws {
    let run = try await RehearsalProcess.run(
      Self.quick + ["--restarts", "2", "--fault", "hang-before-ready", "--left-over-limit", "500ms"])
    #expect(run.outcomes == ["served", "gaveUp"])
    #expect((run.report["leftOver"] as? [Int])?.count == 1)
    #expect(run.status == .exited(1))
    #expect(run.alive == [])
  }

  @Test("A server that dies during the run ends it, with its last words; what it lost outranks that")
  func dies() async throws {
    let run = try await RehearsalProcess.run(Self.quick + ["--steady", "60s"], standIn: "dies")
    let load = (run.report["load"] as? [String: [String: Any]]) ?? [:]
    let lost = load.values.compactMap { ($0["failed"] as? [String: Int])?.values.reduce(0, +) }.reduce(0, +)
    #expect(run.verdict == (lost > 0 ? "failed" : "notDone"))
    #expect(run.status == .exited(lost > 0 ? 1 : 2))
    #expect(run.errors.contains("died"), "\(run.errors)")
  }

  @Test(
    "A server that cannot be started, or ends at once, is no finding", .serialized,
    arguments: [["/no/such/command"], ["false"]])
  func notStarted(server: [String]) async throws {
    let run = try await RehearsalProcess.run(["--url", "http://127.0.0.1:9/"], server: server)
    #expect(run.verdict == "notDone")
    #expect(run.status == .exited(2))
    #expect(try SchemaChecker("rehearsal-report-1").problems(in: run.report) == [])
  }

  @Test(
    "A signal ends it early: nothing of it is left, and nothing is known", .serialized, arguments: [Int32(1), 2, 15])
  func interrupted(signal: Int32) async throws {
    // Other tests have servers of that name, too: only what lives below this rehearsal counts.
    let servers = Mutex<[ProcessEntry]>([])
    let run = try await RehearsalProcess.run(Self.quick + ["--steady", "60s"]) { child in
      try await poll("its server") {
        let found = ProcessTable.all().filter {
          $0.parent == child.id && ($0.name == "TestProgram" || $0.name == "graceful")
        }
        servers.withLock { $0 = found }
        return !found.isEmpty
      }
      child.signal(signal)
    }
    #expect(run.status == .exited(2))
    #expect(run.verdict == "notDone")
    #expect(run.errors.contains("interrupted"))
    for server in servers.withLock({ $0 }) {
      let now = ProcessTable.entry(server.id)
      #expect(now?.identity != server.identity || now?.isZombie == true)
    }
  }

  @Test(
    "Words that make no sense are refused with 64", .serialized,
    arguments: [
      ["--mode", "some"], ["--restart", "signal:NOPE"], ["--fault", "fire"], ["--url", "https://x"],
      ["--interval", "5"],
      ["--fault", "kill-before-ready", "--restart", "signal:HUP"], ["--nonsense"],
    ])
  func usage(words: [String]) async throws {
    let run = try await RehearsalProcess.run(words)
    #expect(run.status == .exited(64))
    #expect(run.report.isEmpty)
  }
}
