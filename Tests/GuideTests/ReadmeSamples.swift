import Graceful

// The README: what can be done with a phase.

func inShort(_ shop: Lifecycle, _ phase: Phase, _ database: PhaseHandle, _ pool: Pool, _ order: Order) async throws {
  let consumer: Lifecycle.Body = { _ in }
  let (engine, poll): (Lifecycle, @Sendable () async throws -> Void) = (SearchEngine.lifecycle(pool), {})

  try await phase.withSession("POST /orders") { try await pool.write(order) }  // counted, waited for, named when late
  try await phase.withSession("import", cancellable: true) { try await pool.write(order) }  // its own task is cancelled
  let session = try phase.beginSession()  // where there is no scope: one atomic operation each
  session.end()
  try await withPhase("import") { _ in try await pool.write(order) }  // opened while running, found through the task
  try await phase.withCancellation(at: .drain) { try await poll() }  // for code that knows only task cancellation
  shop.phase("consumer", restart: .onFailure(), consumer)  // started again, ever later, until it is too often
  shop.phase("search", requires: database, lifecycle: engine)  // a library's phases, within ours
  shop.recordMetrics()  // swift-metrics; recordSpans(): tracing
}
