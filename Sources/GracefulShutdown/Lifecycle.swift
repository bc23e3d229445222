public import Logging
import Synchronization

/// The whole: starts its phases in order, runs, and stops them in reverse order, within one deadline.
///
/// ```swift
/// let shop = Lifecycle("shop", grace: .seconds(25))
/// let database = shop.phase("database", limit: .seconds(5)) { phase in
///   let pool = try await Pool.open()
///   phase.ready()                      // what requires it may start now
///   await phase.turnToStop()           // everything that required it has ended
///   await pool.close()
/// }
/// shop.phase("web", requires: database) { phase in … }
/// await shop.runAndExit(on: .signals)  // or: let report = await shop.run()
/// ```
///
/// A lifecycle runs once. Mistakes in how it is written down are collected, and reported together by `run()`, which
/// then starts nothing.
public final class Lifecycle: Sendable {
  /// A body of a phase: it starts, says that it is ready, waits for its turn, cleans up, and returns.
  public typealias Body = @Sendable (Phase) async throws -> Void
  /// Whether an error is one to start a phase again for.
  public typealias RestartFilter = @Sendable (any Error) -> Bool

  /// The name, for the log and the report.
  public let name: String
  /// From the first request to stop to the exit of the process, everything included: what the program says.
  ///
  /// The environment variable `GRACEFUL_GRACE_SECONDS` overrides it; see ``init(_:grace:lameDuck:logger:)``.
  public let grace: Duration
  /// Whether a stop begins with a lame-duck time: what the program says.
  ///
  /// The environment variable `GRACEFUL_LAME_DUCK_SECONDS` overrides it; see ``init(_:grace:lameDuck:logger:)``.
  public let lameDuck: LameDuck
  /// Where progress is logged.
  public let logger: Logger

  let stage = Mutex(Stage.declaring(LifecycleDraft()))
  let broadcast = LifecycleEventBroadcast()
  /// Whether this is the process that a stop of the program means.
  package let succession = Succession()
  /// Of the run, once it has begun.
  let graph = Mutex<PhaseGraph?>(nil)
  /// Held while a run is put together.
  let starting = Mutex(())

  enum Stage {
    case declaring(LifecycleDraft)
    case running(LifecycleDriver)
    /// A phase of another one holds it, at this path.
    case held(by: Lifecycle, at: String)

    /// - Returns: Whether it was not too late to change anything.
    mutating func draft(_ change: (inout LifecycleDraft) -> Void) -> Bool {
      switch self {
      case .declaring(var draft):
        // Taken out meanwhile, or each change would copy all that is there.
        self = .declaring(LifecycleDraft())
        change(&draft)
        self = .declaring(draft)
        return true
      case .running, .held: return false
      }
    }
  }

  /// Makes a lifecycle without phases.
  /// - Parameters:
  ///   - name: For the log and the report.
  ///   - grace: From the first request to stop to the exit of the process. Of it, up to 2 s are kept for those that must
  ///     be cancelled and 1 s for the report and the exit; under 12 s of grace, a quarter of it each. Choose it shorter
  ///     than what the platform gives (Kubernetes: `terminationGracePeriodSeconds`, 30 s; systemd:
  ///     `TimeoutStopSec`, 90 s): after that it kills, and there is no report. 25 s unless said otherwise. Zero or less
  ///     is a mistake: nothing starts, and the exit code is 78. More than 100 years is 100 years.
  ///
  ///     When the environment variable `GRACEFUL_GRACE_SECONDS` is set as the run begins, its number of seconds (`30`,
  ///     `2.5`) takes the place of this, in every lifecycle of the process that no phase of another one holds. Empty is as
  ///     if it was not set; zero or less, more than ten years, and what is no such number is a mistake, as above. When the
  ///     platform is known to kill before the grace is over, the log warns of it at the start; see ``PlatformGrace``.
  ///   - lameDuck: For how long everything is still served after a stop was asked for and `/readyz` has begun to say no, so
  ///     that load balancers find another server; it is part of the grace. None, but under Kubernetes up to 5 s, unless said
  ///     otherwise: see ``LameDuck``.
  ///
  ///     When the environment variable `GRACEFUL_LAME_DUCK_SECONDS` is set as the run begins, its number of seconds takes
  ///     the place of how long that is at most; `0` is none. What is a mistake in `GRACEFUL_GRACE_SECONDS` is one here, too,
  ///     but for the zero.
  ///   - logger: Progress goes here, with these metadata keys, which stay: `lifecycle.name` in every entry; `phase.name`,
  ///     and at its end `phase.end` and `error`; `stop.who` and `stop.why` of each request; at the end `stop.took`,
  ///     `exit.code` and `stragglers`. Nothing is logged of a session, and of a child phase at debug level only.
  public init(
    _ name: String, grace: Duration = .seconds(25), lameDuck: LameDuck = .automatic,
    logger: Logger = Logger(label: "graceful")
  ) {
    self.name = name
    self.grace = grace.bounded
    self.lameDuck = lameDuck
    self.logger = logger
  }

  /// Adds a phase.
  ///
  /// The body runs in a task of its own, at medium priority and without the task-local values of its surroundings, so
  /// that it can be abandoned. When it returns before a stop was asked for, the lifecycle stops; when it throws,
  /// the lifecycle stops as failed.
  ///
  /// A phase that is added after `run()` was called is never started; the log says so. A name that is empty or taken, a
  /// requirement that does not exist, phases that require each other in a circle, and a limit that is not longer than zero
  /// are mistakes: they are collected, and `run()` starts nothing, reports all of them, and has the exit code 78.
  /// - Parameters:
  ///   - name: Unique in this lifecycle, and not empty. The text of the report shows line breaks in it as blanks.
  ///   - requires: What must be ready before this phase starts, and is told to stop only after it has ended: a phase, or
  ///     an array of phases. Nothing unless given.
  ///   - startLimit: How long it may take until it is ready. After that its start has failed: the lifecycle stops as
  ///     failed, and what started is unwound in order; the phase itself is cancelled, so the exit code is 124. Without one
  ///     it may take for ever. Longer than 100 years is 100 years, here and for every other duration.
  ///   - restart: Whether it is started again when it comes back by itself; never unless said otherwise.
  ///   - filter: For which errors; for all unless given. After another one its end is a failure that stops the whole.
  ///   - limit: How long it may take to stop, from when it is told to drain until it is cancelled. It is clipped to what the
  ///     whole has left (a limit that is longer than the grace leaves to drain is so from the beginning, and the log warns
  ///     of it at the start); without one, it may take all of that, and those behind it find little.
  @discardableResult
  public func phase(
    _ name: String, requires: some PhaseRequirement = .nothing, startLimit: Duration? = nil,
    limit: Duration? = nil,
    restart: RestartPolicy = .never, restartFor filter: RestartFilter? = nil, _ body: @escaping Body
  ) -> PhaseHandle {
    add(
      PhaseGraph.Declaration(
        name, requires: requires.requiredPhases.map(\.name), startLimit: startLimit?.bounded, limit: limit?.bounded,
        restart: restart), restartFor: filter, body)
    return PhaseHandle(name)
  }

  func add(
    _ declaration: PhaseGraph.Declaration, restartFor filter: RestartFilter? = nil, holding lifecycle: Lifecycle? = nil,
    _ body: @escaping Body
  ) {
    let isInTime = stage.withLock { stage in
      stage.draft { draft in
        if let lifecycle { draft.nested.append(.init(phase: draft.declarations.count, lifecycle: lifecycle)) }
        draft.declarations.append(declaration)
        draft.bodies.append(body)
        draft.filters.append(filter)
      }
    }
    if !isInTime {
      logger.error(
        "a phase was added after run() and is not started",
        metadata: ["lifecycle.name": "\(name)", "phase.name": "\(declaration.name)"])
    }
  }

  /// Asks for a stop.
  ///
  /// May be called from any thread, any number of times, before, during and after the run, and from anywhere in it: a body,
  /// a child phase, a session, a handler. It returns at once. What a repetition means is in ``StopRequest/Urgency``; after
  /// the end it means nothing.
  public func requestStop(_ request: StopRequest = StopRequest()) {
    let late: Stage? = stage.withLock { stage in stage.draft { $0.requests.append(request) } ? nil : stage }
    switch late {
    case .running(let driver): driver.requestStop(request)
    case .held(let whole, let path): whole.stopAlone(path, request)
    case .declaring, nil: break
    }
  }

  /// Stops one phase alone, with its child phases and with those that require it, in order, while the rest runs.
  ///
  /// See ``Phase/requestStop()``. Before the run it means that these never begin. For a phase that this lifecycle does not
  /// have, it does nothing.
  public func requestStop(of phase: PhaseHandle) { stopAlone(phase.name, StopRequest()) }

  private func stopAlone(_ phase: String, _ request: StopRequest) {
    let late: Stage? = stage.withLock { stage in stage.draft { $0.stopped.append(phase) } ? nil : stage }
    switch late {
    case .running(let driver): driver.stopAlone(phase, request)
    case .held(let whole, let path): whole.stopAlone("\(path)/\(phase)", request)
    case .declaring, nil: break
    }
  }

  /// What happens, one event after the other, for any number of readers.
  ///
  /// A reader sees what happens after it asked for the sequence, also before the run; it ends with
  /// ``LifecycleEvent/Kind/finished``. A reader that does not keep up loses the oldest of more than 4,096 events.
  public var events: AsyncStream<LifecycleEvent> { broadcast.subscribe() }

  /// An observer is told of what happens, from the beginning of the run on.
  package func add(_ observer: some LifecycleObserver) -> ObserverAdmission { broadcast.add(observer) }

  /// Where everything is now; from any thread, at any time.
  ///
  /// It holds nothing up for long: while the phases are written down, less than a millisecond of a thousand of them, no
  /// event is decided. What is counted in the sessions of different phases, is counted at instants of their own.
  public func snapshot() -> LifecycleSnapshot {
    // Put together outside the lock: a stop request takes it, too.
    let stage = stage.withLock { $0 }
    switch stage {
    case .declaring(let draft):
      return .declared(name, grace: grace, phases: Self.whole(draft, of: self).declarations.map(\.name))
    case .running(let driver): return driver.snapshot()
    case .held(let whole, _): return whole.snapshot()
    }
  }

  /// What it will do, before it does it; see ``StopPlan``.
  package func plan(with settings: OutsideSettings) -> StopPlan {
    let declared: LifecycleDraft? = stage.withLock { stage in
      if case .declaring(let draft) = stage { draft } else { nil }
    }
    // Where it runs already, the plan is that of the run.
    let graph = declared.map { Self.whole($0, of: self).graph } ?? graph.withLock { $0 } ?? PhaseGraph([])
    let grace = settings.setting(grace)
    return StopPlan(
      name, grace: grace, lameDuck: settings.setting(lameDuck), platform: settings.platform, graph: graph,
      mistakes: settings.mistakes)
  }

  /// As it would run now; no lifecycle is held by that.
  private static func whole(_ draft: LifecycleDraft, of lifecycle: Lifecycle) -> LifecycleDraft {
    draft.whole(of: lifecycle) { inner, _ in
      if case .declaring(let draft) = inner.stage.withLock({ $0 }) { draft } else { nil }
    }
  }

  /// Adds a mistake that was found elsewhere: `run()` then starts nothing.
  ///
  /// Once it runs, it is too late for that.
  package func reportMistake(_ mistake: ConfigurationMistake) {
    _ = stage.withLock { stage in stage.draft { $0.mistakes.append(mistake) } }
  }
}
