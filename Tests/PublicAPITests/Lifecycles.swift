import Graceful
import Logging
import ServiceLifecycle

/// A service of a program.
private struct Web: Service {
  func run() async throws { try await gracefulShutdown() }
}

func declaring() -> Lifecycle {
  let shop = Lifecycle("shop", grace: .seconds(25), lameDuck: .atMost(.seconds(8)), logger: Logger(label: "shop"))
  let database = shop.phase("database", startLimit: .seconds(5), limit: .seconds(5), restart: .once) { phase in
    phase.ready()
    await phase.turnToStop()
  }
  let search = shop.phase("search", requires: database, lifecycle: Lifecycle("search", lameDuck: .none))
  shop.phase(
    "web", requires: [database, search], readiness: .explicit, stops: .stopRequested,
    restart: .always(intensity: 5, window: .seconds(60)), restartFor: { !($0 is CancellationError) }, service: Web())
  shop.recordMetrics(endingBefore: database)
  shop.recordSpans(endingBefore: database)
  shop.notifySystemd()
  return shop
}

func restarting() -> RestartPolicy {
  var policy = RestartPolicy.onFailure()
  policy.cleanReturn = .endsPhase
  policy.dependents = .restart
  policy.sessions = .wait
  policy.condition = .always
  return policy
}

func running(_ shop: Lifecycle) async -> Never {
  let report: LifecycleReport = await shop.run(on: .signals)
  reading(report)
  await shop.runAndExit(on: .signals([.terminate]), .files(), .control(socket: "/run/shop/control"))
}

func stopping(_ shop: Lifecycle) {
  shop.requestStop()
  shop.requestStop(StopRequest(why: "a migration", urgency: .cancelNow))
  shop.requestStop(of: "web")
}

func watching(_ shop: Lifecycle) async {
  let snapshot: LifecycleSnapshot = shop.snapshot()
  let phase: PhaseSnapshot? = snapshot.phases.first
  let session: SessionSnapshot? = phase?.oldestSessions.first
  let left: Duration? = snapshot.lameDuckLeft
  print(snapshot.state, session?.name ?? "", left ?? .zero, snapshot.json())
  for await event: LifecycleEvent in shop.events where event.kind == .lameDuckBegan || event.kind == .lameDuckEnded {
    print(event)
  }
}

func planning(_ shop: Lifecycle) throws {
  let plan: StopPlan = shop.plan()
  let phase: PhasePlan? = plan.phases.first
  let mistake: ConfigurationMistake? = plan.mistakes.first
  let origin: GraceOrigin = plan.graceOrigin
  let platform: PlatformGrace? = plan.platform
  let lameDuck: LameDuck.Plan? = plan.lameDuck
  let from: LameDuck.Origin? = lameDuck?.origin
  print(phase?.isShort ?? false, mistake?.description ?? "", origin, platform?.source ?? .systemd, from ?? .program)
  print(plan.text, plan.svg(), try StopPlan(json: plan.json()) == plan, LameDuck.Timing.defaultMinimum)
}

func reading(_ report: LifecycleReport) {
  let phase: PhaseReport? = report.phases.first
  let end: PhaseEnd? = phase?.end
  let sessions: SessionReport? = phase?.sessions
  let restart: RestartReport? = phase?.restarts.first
  let straggler: Straggler? = report.stragglers.first
  let lameDuck: LameDuck.Report? = report.lameDuck
  let lameDuckEnd: LameDuck.End? = lameDuck?.end
  let ended: UTCTime? = report.endedAt
  print(end ?? .drained, sessions?.drained ?? 0, restart?.reason ?? "", straggler?.name ?? "", lameDuckEnd ?? .quiet)
  print(ended?.description ?? "", report.text, report.svg(), report.part("search")?.exitCode ?? 0)
  do {
    _ = try LifecycleReport(json: report.json())
  } catch {
    let error: ReportFormatError = error
    print(error.code, error.path)
  }
}

func beingAService(_ shop: Lifecycle) async {
  let service: LifecycleService = shop.service(on: .files())
  do {
    try await service.run()
  } catch let failure as LifecycleFailure {
    print(failure.report.summary, ServiceReadiness.onStart == .explicit)
  } catch {
    print(error)
  }
}

func beingTheFirstProcess() {
  if FirstProcess.isThis { FirstProcess.leave(2) }
}
