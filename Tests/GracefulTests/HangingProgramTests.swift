import TestHost
import Testing

/// What does not end, one way after the other, in a real process: it exits within its grace, with a code that was chosen.
@Suite("A program in which something hangs", .sharing(.processors))
struct HangingProgramTests {
  private static let interrupt: Int32 = 2
  private static let terminate: Int32 = 15

  private func blocked(_ what: String, grace: Int) async throws -> ChildProgram {
    let program = try ChildProgram("blocked", ["\(grace)", what])
    #expect(await program.wait(for: "blocked\n", on: program.output) != nil)
    return program
  }

  @Test(
    "Trap 11: exits 124 within its grace when a phase ignores its cancellation or blocks its thread; the others drain",
    .serialized,
    arguments: ["ignores", "thread"])
  func onePhase(what: String) async throws {
    // When greedy is abandoned, after five seconds, quiet has four left to drain.
    let program = try await blocked(what, grace: 12_000)
    program.signal(Self.terminate)
    let end = try #require(await program.end())
    #expect(end.code == 124, "\(end.errors)")
    #expect(end.took < .seconds(12))
    let lines = end.errors.split(separator: "\n")
    for (name, how) in [("greedy", "ABANDONED"), ("polite", "drained"), ("quiet", "drained")] {
      #expect(lines.contains { $0.contains(" \(name)") && $0.contains(" \(how)  ") }, "\(name): \(end.errors)")
    }
    #expect(end.errors.contains("exit 124: not ended in time: greedy"), "\(end.errors)")
  }

  @Test("Trap 16: ^C and SIGTERM count together: the second of either cancels now, the third exits now")
  func mixed() async throws {
    let program = try await blocked("thread", grace: 60000)
    #expect(await program.signalOnce(Self.interrupt))
    #expect(await program.signalOnce(Self.terminate))
    #expect(await program.signalOnce(Self.interrupt))
    let end = try #require(await program.end())
    #expect(end.code == 130, "the last one says how it ended")
    #expect(end.took < .seconds(5))
  }

  @Test("Trap 12: exits 124 within its grace although two hundred handlers block, more than there are threads for them")
  func handlers() async throws {
    let program = try await blocked("handlers", grace: 6000)
    program.signal(Self.terminate)
    let end = try #require(await program.end())
    // No body comes back before its handler has.
    #expect(end.code == 124, "\(end.errors)")
    let stopped = try #require(ChildProgram.timeToStop(in: end.errors), "\(end.errors)")
    #expect(stopped < 6 && end.took < .seconds(12), "\(end.errors)")
    #expect(end.errors.contains("ABANDONED"))
  }

  @Test(
    "exits 0 in time when whoever records its metrics or its spans blocks for ever", .serialized,
    arguments: ["metrics", "tracer"])
  func observer(what: String) async throws {
    let program = try await blocked(what, grace: 60000)
    program.signal(Self.terminate)
    let end = try #require(await program.end())
    #expect(end.code == 0, "\(end.errors)")
    // A tenth of a second before the exporter is told, half a second before the exit.
    #expect(end.took < .seconds(5))
    #expect(end.errors.contains("exit 0: clean"), "\(end.errors)")
  }

  @Test("Trap 19: two more signals end an exit that hangs in an atexit handler, with the code of the report")
  func forced() async throws {
    let program = try await blocked("exit", grace: 60000)
    // The first ends it well, and it hangs in its atexit handler, with all of its grace left.
    #expect(await program.signalOnce(Self.terminate))
    // The report, not the line of the log before it: only from then on it counts how often it is asked.
    #expect(await program.wait(for: "\n  exit 0: clean\n", on: program.errors) != nil)
    #expect(await program.signalOnce(Self.terminate))
    #expect(await program.end(limit: .milliseconds(200)) == nil)
    #expect(await program.signalOnce(Self.terminate))
    let end = try #require(await program.end())
    #expect(end.code == 0, "what it promised was kept; its report has said so already")
    #expect(end.took < .seconds(5))
  }

  @Test("Trap 19: a clean exit that hangs in an atexit handler ends within the grace, with the code of the report")
  func hangingExit() async throws {
    // Nine seconds of it to drain: who needs longer would be cancelled.
    let program = try await blocked("exit", grace: 12_000)
    program.signal(Self.terminate)
    let end = try #require(await program.end())
    #expect(end.code == 0, "\(end.errors)")
    #expect(end.took < .seconds(20))
    #expect(end.errors.contains("exit 0: clean"), "\(end.errors)")
  }
}
