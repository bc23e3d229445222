import Graceful
import ServiceLifecycle
import UnixSignals

@main struct InsideAServiceGroup {
  static func main() async throws {
    let shop = Lifecycle("shop", grace: .seconds(10))
    let queue = shop.phase("queue") { phase in
      phase.ready()
      await phase.turnToStop()
      print("queue: empty")
    }
    shop.phase("web", requires: queue) { phase in
      phase.ready()
      print("The shop is open. Close it with SIGTERM or ^C.")
      await phase.turnToStop()
      print("web: the last order is answered")
    }

    var configuration = ServiceGroupConfiguration(
      services: [Telemetry(), shop.service()], gracefulShutdownSignals: [.sigterm, .sigint], logger: shop.logger)
    // A group has no limits of its own accord. Longer than the grace, so that the shop can end by itself.
    configuration.maximumGracefulShutdownDuration = .seconds(12)
    try await ServiceGroup(configuration: configuration).run()

    // It has ended, so that this runs nothing: it returns what happened.
    print(await shop.run().text, terminator: "")
  }
}
