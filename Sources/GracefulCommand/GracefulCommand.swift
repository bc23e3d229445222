internal import ArgumentParser

@main struct GracefulCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "graceful", abstract: "Starts, stops and replaces long-running programs without losing a request.",
    subcommands: [
      StopCommand.self, StatusCommand.self, RestartCommand.self, PlanCommand.self, ReportCommand.self,
      RehearseCommand.self,
      DemoCommand.self,
    ])
}
