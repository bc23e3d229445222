import Graceful
import ServiceLifecycle
import UnixSignals

// *Adopting in an application*.

/// The parts, as phases.
func shopOfPhases() -> Lifecycle {
  let shop = Lifecycle("shop", grace: .seconds(25))

  let database = shop.phase("database", limit: .seconds(3)) { phase in
    let pool = try await Pool.open()
    phase.ready()  // what requires it may start now
    await phase.turnToStop()  // everything that required it has ended
    await pool.close()
  }

  let pipeline = shop.phase("pipeline", requires: database, limit: .seconds(5), service: Pipeline())
  shop.phase("web", requires: pipeline, limit: .seconds(8), service: WebServer())

  return shop
}

/// Work that is done before a service starts.
func shopWithAMigration() -> Lifecycle {
  let shop = Lifecycle("shop")
  let migration = shop.phase("migration", restart: .once) { _ in
    let pool = try await Pool.open()
    try await pool.migrate()
    await pool.close()
  }
  shop.phase("web", requires: migration, service: WebServer())
  return shop
}

/// Sessions.
struct Orders {
  let web: Phase
  let pool: Pool

  func handle(_ order: Order) async throws -> String {
    do {
      try await web.withSession("POST /orders") { try await pool.write(order) }
      return "202 Accepted"
    } catch let error as PhaseError where error.code == .refused {
      return "503 Service Unavailable"
    }
  }

  func importAll(_ orders: [Order]) async throws {
    try await web.withSession("import", cancellable: true) {
      for order in orders {
        try Task.checkCancellation()
        try await pool.write(order)
      }
    }
  }

  func handleInACallback(_ order: Order, whenDone: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void) throws
  {
    let session = try web.beginSession().shared()
    whenDone { session.end() }
  }
}

/// What a phase hears, in the ways to hear it.
func waysToHear(_ phase: Phase, _ jobs: AsyncStream<Order>, _ pool: Pool, _ stopPolling: @escaping @Sendable () -> Void)
  async throws
{
  await phase.drainRequested()

  for await moment in phase.events {
    if moment == .drain { stopPolling() }
    if moment == .turn { break }
  }

  try await phase.withCancellation(at: .drain) {
    for await job in jobs { try await pool.write(job) }
  }

  await phase.withHandler(at: .stopRequested) {
    stopPolling()
  } operation: {
    await phase.turnToStop()
  }

  while !phase.isStopRequested { await Task.yield() }
}

/// Metrics and spans.
func observing(_ shop: Lifecycle, _ telemetry: any Service) {
  let exporter = shop.phase("telemetry", limit: .seconds(2), service: telemetry)
  shop.recordMetrics(endingBefore: exporter)
  shop.recordSpans(endingBefore: exporter)
}

/// Asking for a stop.
func asking(_ shop: Lifecycle) {
  shop.requestStop(StopRequest(why: "the licence has expired"))
  shop.requestStop(StopRequest(why: "the disk is full", urgency: .cancelNow))
}

/// The ends of `main`.
func running(_ shop: Lifecycle) async {
  let report = await shop.run(on: .signals)
  print(report.summary)
  for straggler in report.stragglers { print(straggler.name) }
}

func runningAsAService(_ shop: Lifecycle, _ telemetry: any Service) async throws {
  let group = ServiceGroup(
    services: [telemetry, shop.service()], gracefulShutdownSignals: [.sigterm], logger: shop.logger)
  try await group.run()
}

/// A program without a handover that can be asked and stopped at a socket.
func runningWithAControlSocket(_ program: Lifecycle) async {
  await program.runAndExit(on: .signals, .control(socket: "/run/shop/control.sock"))
}
