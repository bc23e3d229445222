import Exploration
import Graceful
import Logging
import ServiceLifecycle
import UnixSignals

/// A service that hears neither its graceful shutdown nor its cancellation, beside one that hears both.
enum Deaf {
  private struct DeafService: Service {
    func run() async throws {
      ForeignProgram.say("running")
      await Opening().wait()
    }
  }

  private struct PoliteService: Service {
    func run() async throws { try await gracefulShutdown() }
  }

  /// With the limits that a group may be given, short, and with a log that anybody can read.
  static func inGroup() async throws {
    var configuration = ServiceGroupConfiguration(
      services: [PoliteService(), DeafService()], gracefulShutdownSignals: [.sigterm],
      logger: Logger(label: "group") { StreamLogHandler.standardError(label: $0) })
    configuration.maximumGracefulShutdownDuration = .milliseconds(100)
    configuration.maximumCancellationDuration = .milliseconds(100)
    try await ServiceGroup(configuration: configuration).run()
  }

  static func inPhase() async {
    let program = Lifecycle("deaf", grace: .milliseconds(800), logger: ForeignProgram.logger)
    program.phase("polite", service: PoliteService())
    program.phase("deaf", service: DeafService())
    await program.runAndExit(on: .signals)
  }
}
