import Logging
import Synchronization

extension Lifecycle {
  /// Runs in an environment until everything has ended or been abandoned.
  ///
  /// A second call waits for the first one's end, unless it comes from inside one of the phases: then it would wait for
  /// itself, and is refused.
  ///
  /// - Parameters:
  ///   - exiting: When there is nothing left to wait for although something still runs, the report is written and the
  ///     process ended by whichever thread finds out, because nothing may be left to run the caller of this.
  ///   - exitHooks: What is said when everything has ended, before the process exits or this returns; not when the call is
  ///     refused.
  package func run(
    in environment: some LifecycleEnvironment, exiting: Bool = false, exitHooks: [ExitHook] = []
  ) async -> LifecycleReport {
    // One call of run() at a time; those that come later find that it runs.
    let level = logger.logLevel
    let start = starting.withLock { _ in begin(in: environment, exiting: exiting, level: level) }
    switch start {
    case .first(let driver, let requests, let log):
      log.note(environment.settings.setting(grace), within: environment.settings.platform)
      log.note(environment.settings.setting(lameDuck), grace: environment.settings.setting(grace).duration)
      driver.noteClippedLimits()
      if exiting { driver.add(exitHooks) }
      for request in requests { driver.announce(request) }
      let report = await driver.run(isFirst: true)
      // With the hooks that came since: where the process goes on they are called here or never.
      if !exiting { await environment.say((driver.takeExitHooks() ?? []) + exitHooks, report) }
      return report
    case .again(let driver):
      guard let phase = Phase.place?.phase(of: driver) else {
        if driver.exiting { driver.add(exitHooks) }
        let report = await driver.run(isFirst: false)
        // Otherwise the process ends in there.
        if !driver.exiting { await environment.say((driver.takeExitHooks() ?? []) + exitHooks, report) }
        return report
      }
      // To wait would hang it, and its cancellation would be passed on to the whole.
      let mistake = ConfigurationMistake(kind: .runInside(phase: phase.path))
      return await refuse(mistake, of: phase.path, in: environment, exiting: exiting)
    case .held(let path):
      let mistake = ConfigurationMistake(kind: .lifecycleTaken(phase: path, lifecycle: name))
      return await refuse(mistake, of: path, in: environment, exiting: exiting)
    }
  }

  private enum Start {
    case first(LifecycleDriver, [StopRequest], LifecycleLog)
    case again(LifecycleDriver)
    case held(at: String)
  }

  private func begin(in environment: some LifecycleEnvironment, exiting: Bool, level: Logger.Level) -> Start {
    // Lifecycles that its phases hold; `nil` for those that cannot be held.
    var held: [ObjectIdentifier: LifecycleDraft?] = [:]
    while true {
      var missing: [(lifecycle: Lifecycle, path: String)] = []
      let start: Start? = stage.withLock { stage in
        switch stage {
        case .declaring(let draft):
          let whole = draft.whole(of: self) { lifecycle, path in
            if let known = held[ObjectIdentifier(lifecycle)] { return known }
            missing.append((lifecycle, path))
            return nil
          }
          guard missing.isEmpty else { return nil }
          let start = begin(whole, in: environment, exiting: exiting, level: level)
          if case .first(let driver, _, _) = start { stage = .running(driver) }
          return start
        case .running(let driver): return .again(driver)
        case .held(_, let path): return .held(at: path)
        }
      }
      if let start { return start }
      // Outside our lock: it may hold us in turn.
      for (lifecycle, path) in missing {
        held[ObjectIdentifier(lifecycle)] = .some(lifecycle.beHeld(by: self, at: path))
      }
    }
  }

  private func begin(
    _ whole: LifecycleDraft, in environment: some LifecycleEnvironment, exiting: Bool, level: Logger.Level
  ) -> Start {
    let settings = environment.settings
    let grace = settings.setting(grace)
    let phases = PhaseGraph(whole.declarations, mistakes: whole.mistakes + settings.mistakes)
    graph.withLock { $0 = phases }
    var machine = LifecycleStateMachine(
      name: name, grace: grace.duration, graceOrigin: grace.origin, lameDuck: settings.setting(lameDuck)?.time,
      graph: phases,
      seed: .random(in: .min ... .max))
    // Here, where no other thread has the driver yet: another call of run() must not start what was asked to stop (S10).
    let now = MonotonicInstant(environment.now())
    for request in whole.requests { _ = machine.receive(.stop(request), at: now) }
    for phase in whole.stopped {
      guard let id = phases.nodes.firstIndex(where: { $0.name == phase }) else { continue }
      _ = machine.receive(.stopPhase(id, .drain), at: now)
    }
    let log = LifecycleLog(name: name, logger: logger, level: level, environment: environment)
    let driver = LifecycleDriver(
      machine, bodies: whole.bodies, filters: whole.filters, environment: environment, log: log, events: broadcast,
      exiting: exiting)
    return .first(driver, whole.requests, log)
  }

  /// - Returns: What was declared of it; `nil` when it runs, or is held already.
  private func beHeld(by whole: Lifecycle, at path: String) -> LifecycleDraft? {
    // One at a time, whichever they are: two that hold each other must not both find that the other is free.
    let draft: LifecycleDraft? = Self.holding.withLock { _ in
      guard !whole.isHeld(by: self) else { return nil }
      return stage.withLock { stage in
        guard case .declaring(let draft) = stage else { return nil }
        stage = .held(by: whole, at: path)
        return draft
      }
    }
    guard let draft else { return nil }
    graph.withLock { $0 = draft.graph }
    whole.broadcast.pass(on: broadcast)
    return draft
  }

  private static let holding = Mutex(())

  private func isHeld(by other: Lifecycle) -> Bool {
    var next = self
    while case .held(let whole, _) = next.stage.withLock({ $0 }) {
      if whole === other { return true }
      next = whole
    }
    return false
  }

  /// `run()` was called where it would wait for itself, or where it would run twice.
  private func refuse(
    _ mistake: ConfigurationMistake, of phase: String, in environment: some LifecycleEnvironment, exiting: Bool
  ) async -> LifecycleReport {
    logger.error("\(mistake)", metadata: ["lifecycle.name": "\(name)", "phase.name": "\(phase)"])
    if exiting {
      // What never returns can only be stopped with the rest: in order, and the report names the phase.
      requestStop(StopRequest(source: .phaseFailed(phase), why: "\(mistake)"))
      await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
    }
    let report = LifecycleReport(
      lifecycle: name, request: nil, mistakes: [mistake], phases: [], stragglers: [], ran: .zero, took: .zero,
      grace: grace, endedBySignal: nil, ignored: [])
    return report.written(by: environment, startedAt: environment.wallTime())
  }
}
