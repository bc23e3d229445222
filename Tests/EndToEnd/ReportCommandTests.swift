import Foundation
import Graceful
import GracefulProcesses
import GracefulShutdown
import TestHost
import Testing

@Suite("graceful report", .sharing(.processors), .timeLimit(.minutes(1)))
struct ReportCommandTests {
  private static let report: String = {
    let web = PhaseReport(
      name: "web", end: .drained, startedAfter: .zero, readyAfter: .milliseconds(500), drainAfter: .seconds(60),
      turnAfter: .seconds(61), endedAfter: .seconds(62))
    return LifecycleReport(
      lifecycle: "shop", request: nil, mistakes: [], phases: [web], stragglers: [], ran: .seconds(60),
      took: .seconds(2),
      grace: .seconds(25), endedBySignal: nil, ignored: []
    ).json()
  }()

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
