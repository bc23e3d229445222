import Graceful
import SchemaChecking
import Testing

/// `GRACEFUL_PLAN`, from outside: a real process.
@Suite("S11: a program that is asked for its plan", .timeLimit(.minutes(2)))
struct PlanModeTests {
  private static let graph = ["25", "web:10:queue", "queue:5:database", "database:5"]

  private func end(
    _ arguments: [String] = graph, _ environment: String...
  ) async throws -> (code: Int32, printed: String, errors: String) {
    // Behind what the test says, of which the first counts (getenv(3)): these tests may run in a container.
    let variables = environment + ["GRACEFUL_PLATFORM_GRACE_SECONDS=100"]
    let program = try ChildProgram("planned", arguments, environment: variables)
    guard let end = await program.end() else { throw Hangs() }
    return (end.code, program.printed(), end.errors)
  }

  private struct Hangs: Error {}

  @Test("prints it and exits 0; no trigger listens and no phase starts")
  func text() async throws {
    let end = try await end(Self.graph, "GRACEFUL_PLAN=text")
    #expect(end.code == 0)
    #expect(end.errors == "")
    #expect(
      end.printed == """
        planned: a stop takes 24.0 s at most, of a grace of 25.0 s (from the program)
            PHASE         LIMIT    DRAINS   FROM     UNTIL   START LIMIT
          > web           10.0 s   10.0 s   0.000 s  13.0 s  none
          >   queue       5.000 s  5.000 s  13.0 s   21.0 s  none
        ! >     database  5.000 s  1.000 s  21.0 s   24.0 s  none
          start, in waves: database; queue; web
          stop, in waves: web; queue; database
          the slowest of the longest way down (>): web, 13.0 s
        ! with a grace of 29.0 s everybody would have its whole limit, whatever the others do; or shorten
          web by 4.000 s, to 6.000 s
          the platform kills after 100.0 s (GRACEFUL_PLATFORM_GRACE_SECONDS)

        """)
  }

  @Test("prints it and exits 0 also as a service of a group, which would call its return a failure")
  func inGroup() async throws {
    let end = try await end(["--group"] + Self.graph, "GRACEFUL_PLAN=text")
    #expect(end.code == 0)
    #expect(end.printed.hasPrefix("planned: a stop takes 24.0 s at most"))
    #expect(!end.printed.contains("trigger"))
    #expect(try await self.end(["--group", "1", "web:0.2:"], "GRACEFUL_PLAN=yaml").code == 64)
    #expect(try await self.end(["--group", "1", "web:0.2:lost"], "GRACEFUL_PLAN=json").code == 78)
  }

  @Test("prints it as JSON, with the schema of this package")
  func json() async throws {
    let end = try await end(Self.graph, "GRACEFUL_PLAN=json")
    #expect(end.code == 0)
    #expect(end.errors == "")
    #expect(try SchemaChecker("lifecycle-plan-1").problems(inText: end.printed) == [])
    #expect(end.printed.contains("\"worstCase\" : 24\n") || end.printed.contains("\"worstCase\" : 24,\n"))
  }

  @Test("counts with the grace and the platform of the environment")
  func environment() async throws {
    let end = try await end(
      Self.graph, "GRACEFUL_PLAN=text", "GRACEFUL_GRACE_SECONDS=29.5", "GRACEFUL_PLATFORM_GRACE_SECONDS=20")
    #expect(end.code == 0)
    #expect(
      end.printed.hasPrefix("planned: a stop takes 28.5 s at most, of a grace of 29.5 s (from GRACEFUL_GRACE_SECONDS)"))
    #expect(end.printed.contains("! the platform kills after 20.0 s (GRACEFUL_PLATFORM_GRACE_SECONDS)"))
    #expect(!end.printed.contains("shorten"))
  }

  @Test("exits 78 when the configuration is wrong, and prints all that is wrong", arguments: ["text", "json"])
  func mistakes(mode: String) async throws {
    let end = try await end(
      ["25", "a:1:b", "b:0:a"], "GRACEFUL_PLAN=\(mode)", "GRACEFUL_GRACE_SECONDS=soon")
    #expect(end.code == 78)
    for mistake in ["the limit of phase \"b\" is", "circle: a → b → a", "GRACEFUL_GRACE_SECONDS is"] {
      #expect((mode == "text" ? end.printed : end.errors).contains(mistake))
    }
    if mode == "json" { #expect(try SchemaChecker("lifecycle-plan-1").problems(inText: end.printed) == []) }
    #expect(!end.printed.contains("trigger\n"))
  }

  @Test("exits 64 at any other value, and says what to set", arguments: ["yaml", "TEXT", "1", " text"])
  func unknown(value: String) async throws {
    let end = try await end(Self.graph, "GRACEFUL_PLAN=\(value)")
    #expect(end.code == 64)
    #expect(end.printed == "")
    #expect(
      end.errors
        == "graceful: the environment variable GRACEFUL_PLAN is \"\(value)\"; it must be text, json or svg, and then"
        + " the program prints its plan instead of running, or not be set\n")
  }

  @Test("runs when the variable is empty")
  func empty() async throws {
    let program = try ChildProgram("planned", ["1", "web:0.2"], environment: ["GRACEFUL_PLAN="])
    #expect(await program.wait(for: "web\n", on: program.output)?.hasPrefix("trigger\n") == true)
    program.signal(15)
    #expect(await program.end()?.code == 124)
  }

  @Test(
    "does not run with a grace that cannot be understood: exit 78", arguments: ["-1", "0", "soon", "1e9", "315360001"])
  func wrongGrace(value: String) async throws {
    let end = try await end(Self.graph, "GRACEFUL_GRACE_SECONDS=\(value)")
    #expect(end.code == 78)
    #expect(end.printed == "trigger\n", "triggers listen before a configuration is looked at; no phase starts")
    #expect(end.errors.contains("! the environment variable GRACEFUL_GRACE_SECONDS is \"\(value)\"; it must"))
  }
}
