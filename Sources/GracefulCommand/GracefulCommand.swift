internal import ArgumentParser

@main struct GracefulCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "graceful", abstract: "Starts, stops and replaces long-running programs without losing a request.",
    subcommands: [DemoCommand.self, RehearseCommand.self, ReportCommand.self])
}
