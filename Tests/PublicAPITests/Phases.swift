import Graceful

func inAPhase(_ phase: Phase) async throws {
  let moment: Phase.Moment = .turn
  try await phase.withHandler(at: .stopRequested) {
    print("stopping")
  } operation: {
    try await phase.withCancellation(at: .drain) { await phase.wait(for: moment) }
  }
  await phase.withGracefulShutdown(at: .cancelled) { await phase.stopRequested() }
  phase.countArrivals { 0 }
  for await moment in phase.events where moment == .cancelled { phase.requestStop() }
  await phase.drainRequested()
  await phase.turnToStop()
  guard !phase.isStopRequested, !phase.isWaiting, let deadline = phase.deadline else {
    throw CutShort("the phase at \(phase.name) was cut")
  }
  print(deadline)
}

func deepInTheCode() async throws -> Int {
  guard let phase = Phase.current else { return 0 }
  try await phase.withSession("SELECT") {}
  try await phase.withSession("INSERT", cancellable: true) {}
  try await withSession("UPDATE", cancellable: true) {}
  return try await withPhase("import", limit: .seconds(2)) { _ in
    try await withSession("page") { 1 }
  }
}

func withoutAScope(_ phase: Phase) -> String {
  do {
    let session: Session = try phase.beginSession("connection")
    let shared: SharedSession = session.shared()
    shared.end()
    return ""
  } catch {
    let error: PhaseError = error
    return error.advice
  }
}
