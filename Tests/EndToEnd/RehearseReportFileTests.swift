import Foundation
import GracefulProcesses
import TestHost
import Testing

@Suite("The report's file", .sharing(.processors), .timeLimit(.minutes(2)))
struct RehearseReportFileTests {
  private static let brief = [
    "--steady", "100ms", "--interval", "100ms", "--connections", "2", "--restarts", "1",
  ]

  private func rehearse(_ path: String, _ arguments: [String] = [], in directory: TestDirectory) throws -> ToolProcess {
    try ToolProcess(["rehearse", "--json", path] + Self.brief + arguments, in: directory)
  }

  private func names(in directory: TestDirectory) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory.path("")).filter { $0.hasPrefix("report") }
  }

  @Test("is replaced when the report is whole, and the earlier one is there until then")
  func replaced() async throws {
    let directory = try TestDirectory()
    try Data("earlier".utf8).write(to: URL(fileURLWithPath: directory.path("report")))
    let tool = try rehearse(directory.path("report"), in: directory)
    #expect(await eventually { Observed.children(of: tool.pid).isEmpty == false })
    #expect(directory.read("report") == "earlier")
    #expect(await tool.end(within: .seconds(60)) == .exited(0), "\(tool.errors)")
    #expect(try RehearsalReport(directory.read("report")).verdict == "passed")
    #expect(tool.output.hasSuffix("in 1 restart.\n"))
    #expect(try names(in: directory) == ["report"])
  }

  @Test("says of a rehearsal that was interrupted that it was not done")
  func interrupted() async throws {
    let directory = try TestDirectory()
    let tool = try rehearse(directory.path("report"), ["--steady", "1m"], in: directory)
    #expect(await eventually { Observed.children(of: tool.pid).isEmpty == false })
    tool.child.signal(SIGINT)
    #expect(await tool.end(within: .seconds(30)) == .exited(2))
    #expect(try RehearsalReport(directory.read("report")).verdict == "notDone")
    #expect(try names(in: directory) == ["report"])
  }

  @Test("may be no file at all, and an error of the write does not hide a pass as one")
  func fullDevice() async throws {
    let directory = try TestDirectory()
    let tool = try rehearse("/dev/full", in: directory)
    #expect(await tool.end(within: .seconds(60)) == .exited(2))
    #expect(tool.output.contains("Passed:"))
    #expect(tool.errors.contains("/dev/full"), "\(tool.errors)")
  }

  @Test("an error of the write leaves a loss a loss")
  func fullDeviceAndLoss() async throws {
    let directory = try TestDirectory()
    let port = try FreePort.take()
    let server = [
      try ToolProcess.built("FaultyServer").path, "--listen", "127.0.0.1:\(port)", "--bad-status-every", "5",
      "--spare", "probe",
    ]
    let tool = try rehearse(
      "/dev/full",
      ["--restart", "command:true", "--trust-restart", "--url", "http://127.0.0.1:\(port)/", "--"] + server,
      in: directory)
    #expect(await tool.end(within: .seconds(60)) == .exited(1), "\(tool.errors)")
    #expect(tool.output.contains("Failed:"))
  }
}
