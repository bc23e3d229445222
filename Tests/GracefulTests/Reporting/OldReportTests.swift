import CGracefulSystem
import Foundation
import SystemPackage
import TestHost
import Testing

@testable import Graceful

@Suite("An old report where the new one shall be", .sharing(.processors), .timeLimit(.minutes(2)))
struct OldReportTests {
  private func blocked(_ path: String) async throws -> ChildProgram {
    let program = try ChildProgram("blocked", ["60000"], environment: ["GRACEFUL_REPORT_FILE=\(path)"])
    #expect(await program.wait(for: "blocked\n", on: program.output) != nil)
    return program
  }

  @Test("is not taken for that of a program that was killed: it is emptied at the start, and keeps its permissions")
  func killed() async throws {
    let folder = try Folder()
    let path = "\(folder.path)/report.json"
    try "earlier".write(toFile: path, atomically: false, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    let program = try await blocked(path)
    program.signal(9)
    #expect(await program.end()?.code == -9)
    #expect(folder.names == ["report.json"])
    #expect(folder.text("report.json") == "")
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
  }

  @Test("that cannot be emptied costs a warning in the log, and nothing else")
  func refused() async throws {
    let folder = try Folder()
    let path = "\(folder.path)/report.json"
    try "earlier".write(toFile: "\(folder.path)/target", atomically: false, encoding: .utf8)
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "\(folder.path)/target")
    let program = try ChildProgram("blocked", ["0"], environment: ["GRACEFUL_REPORT_FILE=\(path)"])
    let end = try #require(await program.end())
    #expect(end.code == 0)
    let warnings = end.errors.split(separator: "\n").filter { $0.contains("warning") && $0.contains("an old report") }
    #expect(warnings.count == 1)
    #expect(warnings.first?.contains("Too many levels of symbolic links") == true, "\(end.errors)")
    #expect(folder.text("target") == "earlier")
  }

  @Test("is not missed when there is none")
  func none() async throws {
    let folder = try Folder()
    let program = try await blocked("\(folder.path)/report.json")
    program.signal(9)
    let end = try #require(await program.end())
    #expect(folder.names == [])
    #expect(!end.errors.contains("old report"))
  }

  @Test(
    "A bind mount, as Kubernetes' /dev/termination-log, is emptied and written in place",
    .enabled(if: BindMount.isPermitted, "needs the permission to mount"))
  func bindMount() async throws {
    let folder = try Folder()
    try "earlier, and longer than what takes its place".write(
      toFile: "\(folder.path)/behind", atomically: false, encoding: .utf8)
    try "".write(toFile: "\(folder.path)/log", atomically: false, encoding: .utf8)
    let mount = try #require(BindMount("\(folder.path)/behind", at: "\(folder.path)/log"))
    let killed = try await blocked("\(folder.path)/log")
    killed.signal(9)
    #expect(await killed.end()?.code == -9)
    #expect(folder.text("behind") == "")

    let clean = try ChildProgram("blocked", ["0"], environment: ["GRACEFUL_REPORT_FILE=\(folder.path)/log"])
    let end = try #require(await clean.end())
    #expect(end.code == 0)
    #expect(!end.errors.contains("no report written"), "\(end.errors)")
    #expect(try LifecycleReport(json: folder.text("behind")).exitCode == 0)
    #expect(folder.names == ["behind", "log"])
    mount.end()
  }
}

/// One file seen at the place of another, for as long as the test lasts.
final class BindMount: Sendable {
  private let path: String

  init?(_ file: String, at path: String) {
    self.path = path
    guard Self.run(["mount", "--bind", file, path]) else { return nil }
  }

  deinit { end() }

  func end() { _ = Self.run(["umount", path]) }

  static let isPermitted: Bool = {
    guard let folder = try? Folder() else { return false }
    for name in ["a", "b"] { _ = FileManager.default.createFile(atPath: "\(folder.path)/\(name)", contents: nil) }
    return BindMount("\(folder.path)/a", at: "\(folder.path)/b") != nil
  }()

  private static func run(_ command: [String]) -> Bool {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = command
    process.standardError = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }
}
