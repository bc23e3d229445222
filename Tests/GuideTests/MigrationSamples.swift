import Graceful
import Logging
import ServiceLifecycle
import UnixSignals

// *Coming from swift-service-lifecycle*: the same program twice.

struct Parts {
  let telemetry = Telemetry()
  let pipeline = Pipeline()
  let web = WebServer()
  let logger = Logger(label: "shop")

  func before() async throws {
    let group = ServiceGroup(
      services: [telemetry, pipeline, web], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    try await group.run()
  }

  func after() async {
    let shop = Lifecycle("shop", logger: logger)
    let metrics = shop.phase("telemetry", limit: .seconds(2), service: telemetry)
    let queue = shop.phase("pipeline", requires: metrics, limit: .seconds(5), service: pipeline)
    shop.phase("web", requires: [queue, metrics], limit: .seconds(8), service: web)
    await shop.runAndExit(on: .signals)
  }
}
