import Exploration
import Graceful
import Logging
import ServiceLifecycle
import UnixSignals

/// A service that hears neither its graceful shutdown nor its cancellation, beside a service that hears both.
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

  /// With the limits that a group may be given, short, and with a log that the test can read.
  static func inGroup() async throws {
    var configuration = ServiceGroupConfiguration(
      services: [PoliteService(), DeafService()], gracefulShutdownSignals: [.sigterm],
      logger: Logger(label: "group") { StreamLogHandler.standardError(label: $0) })
    configuration.maximumGracefulShutdownDuration = .milliseconds(100)
    configuration.maximumCancellationDuration = .milliseconds(100)
    try await ServiceGroup(configuration: configuration).run()
  }

  static func inPhase() async {
    // As in the group, the deaf one runs after the polite one, and is to stop before it: which then has all it needs.
    let program = Lifecycle("deaf", grace: .seconds(20), logger: ForeignProgram.logger)
    let polite = program.phase("polite", service: PoliteService())
    program.phase("deaf", requires: polite, limit: .milliseconds(100), service: DeafService())
    await program.runAndExit(on: .signals)
  }
}
