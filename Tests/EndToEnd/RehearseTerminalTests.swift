import Foundation
import GracefulProcesses
import TestHost
import Testing

@Suite("The rehearsal and its terminal", .sharing(.processors), .timeLimit(.minutes(2)))
struct RehearseTerminalTests {
  /// util-linux's: makes its standard input the controlling terminal of what it runs, so that Ctrl-C becomes a signal.
  private static let setsid = "/usr/bin/setsid"

  @Test("shows a line of progress that is written over itself, and takes it away at the end")
  func progress() async throws {
    let directory = try TestDirectory()
    let terminal = try Terminal()
    let tool = try ToolProcess(
      ["rehearse", "--steady", "1500ms", "--interval", "1s", "--connections", "4", "--restarts", "2"], in: directory,
      terminal: terminal.terminal)
    // It must be read while it runs: a terminal without a reader holds its writers up.
    #expect(
      await eventually(within: .seconds(60)) {
        _ = terminal.text
        return tool.child.status != nil
      })
    #expect(tool.child.status == .exited(0), "\(terminal.text)")
    let pieces = terminal.text.components(separatedBy: "\r\u{1b}[K")
    #expect(pieces.first == "" && pieces.last == "", "each line begins by erasing the last one, and the end erases all")
    let lines = try pieces.filter { !$0.isEmpty }.map { try Line($0) }
    #expect(lines.count > 4)
    #expect(lines.map(\.elapsed) == lines.map(\.elapsed).sorted() && (lines.last?.elapsed ?? 0) >= 2)
    #expect(lines.map(\.done) == lines.map(\.done).sorted())
    #expect(Set(lines.map(\.done)).isSuperset(of: [0, 1, 2]))
    #expect(lines.allSatisfy { $0.restarts == 2 && $0.failures == 0 })
    #expect(lines.contains { $0.rate > 0 })
    // The table is not the terminal's: standard output is a file here.
    #expect(tool.output.contains("Passed:") && !Self.hasControls(tool.output))
  }

  /// One of its lines, such as `3 s  restarts 1/2  812 requests/s  failures 0`.
  struct Line {
    var elapsed: Int
    var done: Int
    var restarts: Int
    var rate: Int
    var failures: Int

    init(_ text: String) throws {
      let match = try #require(
        text.wholeMatch(of: /(\d+) s  restarts (\d+)\/(\d+)  (\d+) requests\/s  failures (\d+)/), "\(text)")
      elapsed = try #require(Int(match.1))
      done = try #require(Int(match.2))
      restarts = try #require(Int(match.3))
      rate = try #require(Int(match.4))
      failures = try #require(Int(match.5))
    }
  }

  @Test(
    "without a terminal nothing that it writes has a control character", .serialized, arguments: [[], ["--json", "-"]])
  func noTerminal(arguments: [String]) async throws {
    let directory = try TestDirectory()
    let tool = try ToolProcess(
      ["rehearse", "--steady", "300ms", "--interval", "300ms", "--connections", "4", "--restarts", "1"] + arguments,
      in: directory)
    #expect(await tool.end(within: .seconds(60)) == .exited(0), "\(tool.errors)")
    #expect((tool.output + tool.errors).contains("Passed:"))
    #expect(!Self.hasControls(tool.output) && !Self.hasControls(tool.errors))
  }

  private static func hasControls(_ text: String) -> Bool {
    text.unicodeScalars.contains { ($0.value < 0x20 && $0 != "\n") || (0x7f...0x9f).contains($0.value) }
  }

  @Test(
    "Ctrl-C typed on it ends the rehearsal and everything that it has started",
    .enabled(if: FileManager.default.isExecutableFile(atPath: RehearseTerminalTests.setsid)))
  func typed() async throws {
    let directory = try TestDirectory()
    let terminal = try Terminal()
    let tool = try ToolProcess(
      ["--ctty", "--wait", try ToolProcess.built("graceful").path, "rehearse", "--steady", "1m"],
      executable: Self.setsid, in: directory, terminal: terminal.terminal)
    #expect(await eventually { terminal.text.contains("requests/s") })
    let rehearsal = try #require(Observed.children(of: tool.pid).first)
    let server = try #require(Observed.children(of: rehearsal).first)
    terminal.type("\u{3}")
    let ended = await eventually(within: .seconds(30)) {
      _ = terminal.text
      return tool.child.status != nil
    }
    #expect(ended && tool.child.status == .exited(2), "\(terminal.text)")
    #expect(tool.output.contains("Not done: it was interrupted."))
    #expect(!Observed.lives(rehearsal) && !Observed.lives(server))
  }
}
