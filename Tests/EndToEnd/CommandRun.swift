import TestHost
import GracefulProcesses
import Synchronization
import Testing

/// A command of ours that has come to its end.
struct CommandRun {
  let status: GracefulProcesses.ExitStatus?
  let output: String
  let errors: String

  init(_ arguments: [String], in directory: TestDirectory, own: [String: String] = [:]) async throws {
    let tool = try ToolProcess(arguments, in: directory, own: own)
    status = await tool.end()
    output = tool.output
    errors = tool.errors
  }

  /// `graceful status`, again and again until it shows what is waited for.
  static func status(
    _ way: [String], in directory: TestDirectory, until isShown: @escaping @Sendable (String) -> Bool
  ) async throws -> CommandRun {
    let last = Mutex(try await CommandRun(["status"] + way, in: directory))
    let shown = await eventually {
      if last.withLock({ isShown($0.output) }) { return true }
      if let next = try? await CommandRun(["status"] + way, in: directory) { last.withLock { $0 = next } }
      return false
    }
    let run = last.withLock { $0 }
    #expect(shown, "\(run.output) \(run.errors)")
    return run
  }
}
