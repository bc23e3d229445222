import CThreadSanitizer
import Foundation
import Testing

/// With `--sanitize=thread`: that the sanitizer still sees, and sees only what is there.
///
/// What CThreadSanitizer tells it could tell it too much; a toolchain whose runtime has other names could make it tell
/// nothing.
@Suite("The thread sanitizer", .enabled(if: cts_is_watching(), "built without --sanitize=thread"))
struct ThreadSanitizerTests {
  @Test(
    "reports a race, in the exit code of either way to exit too",
    arguments: ["unguarded", "two-mutexes"], [["exit"], ["_exit"]])
  func race(kind: String, exit: [String]) async throws {
    let end = try await run([kind] + exit)
    #expect(end.code == 66)
    #expect(end.errors.contains("WARNING: ThreadSanitizer"), "\(end.errors)")
    #expect(end.errors.contains("RacyProgram.swift"), "\(end.errors)")
  }

  @Test("has nothing to say where there is none", arguments: ["one-mutex", "continuation"])
  func noRace(kind: String) async throws {
    let end = try await run([kind])
    #expect(end.errors == "")
    #expect(end.code == 0)
  }

  private func run(_ arguments: [String]) async throws -> (code: Int32, errors: String) {
    let runner = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let errors = FileManager.default.temporaryDirectory.appendingPathComponent("racy-\(UUID().uuidString)")
    try Data().write(to: errors)
    defer { try? FileManager.default.removeItem(at: errors) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: runner).deletingLastPathComponent().appendingPathComponent(
      "RacyProgram")
    process.arguments = arguments
    // What it reports is read here, not at the end of all tests.
    process.environment = ProcessInfo.processInfo.environment.merging(["TSAN_OPTIONS": ""]) { $1 }
    process.standardOutput = FileHandle.nullDevice
    process.standardError = try FileHandle(forWritingTo: errors)
    let (ends, end) = AsyncStream<Int32>.makeStream()
    process.terminationHandler = {
      end.yield($0.terminationReason == .exit ? $0.terminationStatus : -$0.terminationStatus)
    }
    try process.run()
    let code = try #require(await ends.first { _ in true })
    return (code, try String(contentsOf: errors, encoding: .utf8))
  }
}
