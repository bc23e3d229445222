import CGracefulSystem
import Foundation
import GracefulDescriptors
import Synchronization
import SystemPackage
import TestHost
import Testing

@testable import Graceful

@Suite("The file of the report, GRACEFUL_REPORT_FILE", .sharing(.processors), .timeLimit(.minutes(2)))
struct ReportFileTests {
  /// A program that stops itself, and exits with 0.
  private func program(_ path: String, _ arguments: [String] = ["0"]) throws -> ChildProgram {
    try ChildProgram("blocked", arguments, environment: ["A=b", "GRACEFUL_REPORT_FILE=\(path)", "C=d"])
  }

  @Test("is written when all ended well, replaces an earlier one, keeps its permissions, and leaves nothing beside it")
  func clean() async throws {
    let folder = try Folder()
    try "earlier".write(toFile: "\(folder.path)/report.json", atomically: false, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: "\(folder.path)/report.json")
    let end = try #require(await program("\(folder.path)/report.json").end())
    #expect(end.code == 0)
    #expect(folder.names == ["report.json"])
    let report = try LifecycleReport(json: folder.text("report.json"))
    #expect(report.request?.why == "enough")
    // What is in the file is what was said on standard error.
    #expect(end.errors.hasSuffix(report.text), "\(end.errors)")
    let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder.path)/report.json")
    #expect(attributes[.posixPermissions] as? Int == 0o600)
  }

  @Test("is written on a forced exit too: every thread of the pool blocked, three signals, nobody reads standard error")
  func forced() async throws {
    let folder = try Folder()
    let full = try FullPipe()
    let program = try ChildProgram(
      "blocked", ["60000"], environment: ["GRACEFUL_REPORT_FILE=\(folder.path)/report.json"],
      errors: (read: -1, write: full.writeEnd))
    #expect(await program.wait(for: "blocked\n", on: program.output) != nil)
    var end: (code: Int32, errors: String, took: Duration)?
    // Signals of one number do not queue (signal(7)): sent until the third was heard.
    for _ in 0..<200 where end == nil {
      program.signal(15)
      end = await program.end(limit: .milliseconds(50))
    }
    #expect(end?.code == 143)
    let report = try LifecycleReport(json: folder.text("report.json"))
    #expect(report.endedBySignal == 15)
    #expect(report.phases.map(\.end) == [.abandoned, .abandoned])
    #expect(report.phases.map(\.requires) == [[], ["quiet"]])
    #expect(report.exitCode == 143)
  }

  @Test(
    "that cannot be written costs one line on standard error, and neither the exit code nor time", .serialized,
    arguments: ["missing/report.json", "", "link", "pipe", "dangling", "full"])
  func refused(name: String) async throws {
    let folder = try Folder()
    var path = "\(folder.path)/\(name)"
    var why = "Is a directory"
    switch name {
    case "missing/report.json": why = "No such file or directory"
    case "link", "dangling":
      if name == "link" { try "old".write(toFile: "\(folder.path)/target", atomically: false, encoding: .utf8) }
      try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "\(folder.path)/target")
      why = "Too many levels of symbolic links"
    case "pipe":
      #expect(mkfifo(path, 0o600) == 0)
      why = "Invalid argument"
    case "full":
      // Every write to it fails as on a full disk (full(4)); a device is refused before.
      path = "/dev/full"
      why = "Invalid argument"
    default: break
    }
    let end = try #require(await program(path).end())
    #expect(end.code == 0)
    #expect(end.errors.contains("exit 0: clean\n"))
    let lines = end.errors.split(separator: "\n")
    #expect(lines.filter { $0.hasPrefix("graceful: GRACEFUL_REPORT_FILE: no report written: ") }.count == 1)
    #expect(lines.last?.contains(": \(why)") == true, "\(end.errors)")
    #expect(end.took < .seconds(20))
    #expect(!folder.names.contains { $0.hasSuffix(".tmp") })
    if name == "link" { #expect(folder.text("target") == "old") }
  }

  @Test("may lie behind a path of any length and any bytes; what is too long is one line of text")
  func paths() async throws {
    let folder = try Folder()
    let end = try #require(await program("\(folder.path)/\u{1B}[2J\n漢").end())
    #expect(end.code == 0)
    #expect(folder.names == ["\u{1B}[2J\n漢"])
    let long = try #require(await program("\(folder.path)/\n\u{1B}\(String(repeating: "x", count: 5000))").end())
    #expect(long.code == 0)
    #expect(long.errors.split(separator: "\n").last?.hasPrefix("graceful: GRACEFUL_REPORT_FILE: ") == true)
    #expect(!long.errors.contains("\u{1B}"))
  }

  @Test("with another name: that keeps what it has, and the report is written all the same")
  func hardLink() async throws {
    let folder = try Folder()
    try "precious".write(toFile: "\(folder.path)/important", atomically: false, encoding: .utf8)
    try FileManager.default.linkItem(atPath: "\(folder.path)/important", toPath: "\(folder.path)/report.json")
    let end = try #require(await program("\(folder.path)/report.json").end())
    #expect(end.code == 0)
    #expect(folder.text("important") == "precious")
    #expect(try LifecycleReport(json: folder.text("report.json")).exitCode == 0)
  }

  @Test("with another name is not written in place, where it cannot be replaced")
  func hardLinkInPlace() throws {
    let folder = try Folder()
    try "precious".write(toFile: "\(folder.path)/important", atomically: false, encoding: .utf8)
    try FileManager.default.linkItem(atPath: "\(folder.path)/important", toPath: "\(folder.path)/report.json")
    let file = ReportFile(path: FilePath("\(folder.path)/report.json"))
    let error = #expect(throws: SystemError.self) {
      try file.write("{}", rename: { _, _ in -Errno.resourceBusy.rawValue })
    }
    #expect(error?.errno == .tooManyLinks)
    #expect(folder.text("important") == "precious")
  }

  @Test("is none when the variable is empty")
  func empty() async throws {
    let end = try #require(await program("").end())
    #expect(end.code == 0)
    #expect(!end.errors.contains("GRACEFUL_REPORT_FILE"))
  }

  @Test("A full disk: the file that was begun is taken away, the earlier one stays, and the error says why")
  func fullDisk() throws {
    let folder = try Folder()
    let file = ReportFile(path: FilePath("\(folder.path)/report.json"))
    try file.write("one")
    do {
      try file.write("two") { file, text in
        try file.writeAll(text.utf8.prefix(1))
        throw Errno.noSpace
      }
      Issue.record("it fitted")
    } catch {
      #expect(error.operation == "write")
      #expect(error.errno == .noSpace)
    }
    #expect(folder.names == ["report.json"])
    #expect(folder.text("report.json") == "one")
  }

  @Test("A mount point cannot be renamed over: it is written in place, also shorter, and nothing is left beside it")
  func mountPoint() throws {
    let folder = try Folder()
    let file = ReportFile(path: FilePath("\(folder.path)/report.json"))
    try file.write("something longer")
    try file.write("two", rename: { _, _ in -Errno.resourceBusy.rawValue })
    #expect(folder.names == ["report.json"])
    #expect(folder.text("report.json") == "two")
  }

  @Test("What else rename(2) says, is what went wrong, and the earlier report stays")
  func refusedRename() throws {
    let folder = try Folder()
    let file = ReportFile(path: FilePath("\(folder.path)/report.json"))
    try file.write("one")
    let error = #expect(throws: SystemError.self) {
      try file.write("two", rename: { _, _ in -Errno.ioError.rawValue })
    }
    #expect(error?.operation == "rename")
    #expect(folder.names == ["report.json"])
    #expect(folder.text("report.json") == "one")
  }

  @Test("A file that a killed process has left beside it is no obstacle")
  func leftOver() throws {
    let folder = try Folder()
    try "x".write(toFile: "\(folder.path)/r.\(cgs_process_id()).tmp", atomically: false, encoding: .utf8)
    try ReportFile(path: FilePath("\(folder.path)/r")).write("{}")
    #expect(folder.names == ["r"])
    #expect(folder.text("r") == "{}")
  }
}
