import GracefulProcesses
import SchemaChecking
import TestHost
import Testing

@Suite("A whole rehearsal of stops", .sharing(.processors), .timeLimit(.minutes(3)))
struct DirectorStopTests {
  static let quick = ["--steady", "300ms", "--interval", "300ms", "--connections", "2", "--restarts", "2"]

  private func run(_ stop: String, _ arguments: [String] = []) async throws -> RehearsalProcess {
    try await RehearsalProcess.run(Self.quick + ["--stop", stop] + arguments, server: ["graceful", "demo"])
  }

  @Test(
    "Each stop is reported, and the next server answers before the next one; a command may wait or not", .serialized,
    arguments: [
      "signal:TERM", "command:kill -TERM {pid}",
      "command:kill -TERM {pid}; while kill -0 {pid} 2>/dev/null; do sleep 0.01; done; sleep 0.2",
    ])
  func stopped(way: String) async throws {
    let run = try await run(way)
    #expect(run.status == .exited(0), "\(run.errors)")
    #expect(run.stops.compactMap { $0["outcome"] as? String } == ["stopped", "stopped"])
    #expect(run.stops.compactMap { $0["exitCode"] as? Int } == [0, 0])
    #expect(run.stops.compactMap { $0["commandCode"] as? Int } == (way.hasPrefix("signal") ? [] : [0, 0]))
    for stop in run.stops {
      let ended = try #require(stop["endedAfterMs"] as? Double)
      let serving = try #require(stop["servingAfterMs"] as? Double)
      #expect(ended > 0 && serving > ended)
    }
    let pids = run.stops.compactMap { $0["pid"] as? Int }
    #expect(Set(pids).count == 2 && run.restarts.isEmpty)
    #expect(run.errors.contains("ended after: median"), "the table is on standard error")
    #expect(try SchemaChecker("rehearsal-report-1").problems(in: run.report) == [])
    #expect(run.alive == [])
  }

  @Test("A command that fails is named, and the server decides") func failingCommand() async throws {
    let run = try await run("command:kill -TERM {pid}; exit 3")
    #expect(run.status == .exited(0), "\(run.errors)")
    #expect(run.stops.compactMap { $0["commandCode"] as? Int } == [3, 3])
    #expect(run.errors.contains("the command that asked for stop 2 failed: code 3"))
  }

  @Test("A stop that did not happen is no stop, and the server is rehearsed on") func notStopped() async throws {
    let run = try await run("command:true", ["--stop-limit", "300ms"])
    #expect(run.status == .exited(2))
    #expect(run.errors.contains("only 0 of 2 stops"), "\(run.errors)")
    #expect(run.stops.compactMap { $0["outcome"] as? String } == ["gaveUp", "gaveUp"])
    #expect(run.stops.compactMap { $0["pid"] as? Int }.count == 2)
    #expect(Set(run.stops.compactMap { $0["pid"] as? Int }).count == 1)
    #expect(run.stops.allSatisfy { $0["turnedAway"] as? Int == 0 })
    #expect(try SchemaChecker("rehearsal-report-1").problems(in: run.report) == [])
  }

  @Test("A server that is killed has not stopped, whatever came after it") func killed() async throws {
    let run = try await run("signal:KILL")
    #expect([.exited(1), .exited(2)].contains(run.status))
    #expect(run.stops.compactMap { $0["outcome"] as? String } == ["failed", "failed"])
    #expect(run.stops.compactMap { $0["exitCode"] as? Int } == [137, 137])
    #expect(run.alive == [])
  }

  @Test("A server that hangs instead is killed at the limit, and the next one serves") func hangs() async throws {
    let run = try await run("signal:STOP", ["--stop-limit", "200ms", "--restarts", "1"])
    #expect(run.stops.compactMap { $0["outcome"] as? String } == ["gaveUp"])
    #expect(run.stops.compactMap { $0["exitCode"] as? Int } == [137])
    #expect(run.stops.allSatisfy { $0["servingAfterMs"] is Double })
    #expect(run.status != .exited(0))
    #expect(run.alive == [])
  }

  @Test(
    "Words that make no sense are refused with 64", .serialized,
    arguments: [
      ["--stop", "signal:NOPE"], ["--stop", "start-again"], ["--stop", "signal:TERM", "--restart", "start-again"],
      ["--stop", "signal:TERM", "--fault", "kill-before-ready"], ["--stop", "signal:TERM", "--stop-limit", "soon"],
    ])
  func usage(words: [String]) async throws {
    let run = try await RehearsalProcess.run(words, server: ["graceful", "demo"])
    #expect(run.status == .exited(64))
    #expect(run.report.isEmpty)
  }
}
