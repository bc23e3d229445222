import GracefulProcesses

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
}
