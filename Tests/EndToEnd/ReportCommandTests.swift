import Foundation
import GracefulProcesses
import Testing
import WholeMachine

@Suite("graceful report", .wholeMachine, .serialized, .timeLimit(.minutes(1)))
struct ReportCommandTests {
  private static let report = """
    {"schema": 1, "lifecycle": "shop", "pid": 4711, "startedAt": "2026-11-21T06:46:33.123Z",
    "endedAt": "2026-11-21T06:47:35.123Z", "request": null, "mistakes": [], "stragglers": [], "ran": 60, "took": 2,
    "grace": 25, "graceFrom": "program", "endedBySignal": null, "childrenOpened": 0, "ignored": [],
    "phases": [{"name": "web", "parent": null,
    "requires": [], "end": "drained", "error": null, "startedAfter": 0, "readyAfter": 0.5, "drainAfter": 60,
    "turnAfter": 61, "endedAfter": 62, "sessions": null}]}
    """

  private func run(_ arguments: [String], in directory: TestDirectory) async throws -> (
    tool: ToolProcess, end: GracefulProcesses.ExitStatus?
  ) {
    let tool = try ToolProcess(["report"] + arguments, in: directory)
    return (tool, await tool.end())
  }

  @Test("shows it as text, and as a picture that replaces the file there was")
  func shown() async throws {
    let directory = try TestDirectory()
    try Data(Self.report.utf8).write(to: URL(fileURLWithPath: directory.path("report")))
    let text = try await run([directory.path("report")], in: directory)
    #expect(text.end == .exited(0), "\(text.tool.errors)")
    #expect(text.tool.output.contains("web  drained  after 2.000 s"), "\(text.tool.output)")

    let picture = directory.path("picture.svg")
    try Data("earlier".utf8).write(to: URL(fileURLWithPath: picture))
    let drawn = try await run([directory.path("report"), "--svg", "-o", picture], in: directory)
    #expect(drawn.end == .exited(0), "\(drawn.tool.errors)")
    #expect(directory.read("picture.svg").hasPrefix("<svg "))
    #expect(drawn.tool.output == "")
  }

  @Test("tells apart what cannot be read, what is no report, and what cannot be written")
  func errors() async throws {
    let directory = try TestDirectory()
    #expect(try await run([directory.path("none")], in: directory).end == .exited(66))
    try Data("{}".utf8).write(to: URL(fileURLWithPath: directory.path("other")))
    let other = try await run([directory.path("other")], in: directory)
    #expect(other.end == .exited(65))
    #expect(other.tool.errors.contains("is neither a report nor a plan"), "\(other.tool.errors)")
    try Data(Self.report.utf8).write(to: URL(fileURLWithPath: directory.path("report")))
    let unwritten = try await run([directory.path("report"), "-o", directory.path("none/picture")], in: directory)
    #expect(unwritten.end == .exited(73))
    #expect(unwritten.tool.errors.contains("none/picture"), "\(unwritten.tool.errors)")
  }
}
