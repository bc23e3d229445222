import Synchronization

/// What the body of a phase uses to say that it is ready, and to hear that it shall stop.
///
/// Every function may be called from any thread, any number of times, also after the phase has ended. A phase that is started
/// again is given a new value, and the old value stays that of the run before: what is said with it is not taken for what
/// the new run says, and what the new run is told it does not hear (``RestartPolicy``).
public final class Phase: Sendable {
  /// The name that it was given.
  public let name: String

  let id: Int
  /// Which run of it this is; each has a value of its own.
  let run: Int
  /// What the phase was told.
  ///
  /// Runs that follow each other without a stop between them share it, and their gate, because what is inside stays
  /// inside: its sessions must hear the stop when it comes.
  let moments: PhaseMoments
  let runs: PhaseRuns
  /// Lets its sessions and child phases in.
  package let gate: SessionGate
  package let environment: any LifecycleEnvironment
  /// The phase that it was opened in, while the program runs.
  package var parent: Phase? { inside?.phase }
  let link: DriverLink
  private let work = Mutex(Work())

  /// The task of the body, as far as it must be cancelled.
  private struct Work {
    var isCancelled = false
    var cancel: (@Sendable () -> Void)?
    /// Of a run that is not the first.
    var hasBegun = false
    var hasComeBack = false
    var isGivenUp = false
    var isReleased = false
  }

  /// Where in its parent it was opened, while the program runs.
  let inside: Place?
  /// The phase of the graph that it is below; `nil` for a phase of the graph itself.
  let root: Phase?

  init(
    name: String, id: Int, environment: any LifecycleEnvironment, link: DriverLink, within place: Place? = nil,
    gate: SessionGate? = nil
  ) {
    self.name = name
    self.id = id
    self.environment = environment
    self.link = link
    inside = place
    root = place.map { $0.phase.root ?? $0.phase }
    self.gate = gate ?? SessionGate(now: { environment.now() })
    run = 0
    moments = PhaseMoments()
    runs = PhaseRuns()
  }

  /// The run after another one.
  ///
  /// - Parameter wasStopped: Whether it was stopped in order to be started again, so that its gate is empty; else it came
  ///   back by itself.
  init(after last: Phase, wasStopped: Bool) {
    let environment = last.environment
    name = last.name
    id = last.id
    self.environment = environment
    link = last.link
    inside = last.inside
    root = last.root
    runs = last.runs
    run = last.run + 1
    moments = wasStopped ? PhaseMoments() : last.moments
    gate =
      wasStopped ? SessionGate(now: { environment.now() }, countingFrom: last.gate.counts) : last.gate
  }

  /// Makes a phase that belongs to no lifecycle, for tests of what is in it.
  package convenience init(name: String, environment: any LifecycleEnvironment, gate: SessionGate? = nil) {
    self.init(name: name, id: 0, environment: environment, link: DriverLink(), gate: gate)
  }

  /// Says that what requires this phase may start now.
  ///
  /// Only the first call counts; a second one, or one after the end, is ignored and noted in the report. So is one of a
  /// run that is over, when the phase was started again. A phase that
  /// never says so keeps those that require it waiting until its start limit is over or a stop is requested: after 10 s the
  /// log warns of it, again and again, and when the whole is stopped then, it has failed (exit code 1), unless it is within a
  /// start limit. A child phase has no dependents; there this does nothing.
  public func ready() {
    if parent == nil { link.driver?.becomeReady(self) }
  }

  /// Waits for the turn to clean up.
  ///
  /// All that required this phase has ended, and so have the sessions and the child phases in it; or the time for that is
  /// over. Returns early when the task that waits is cancelled; the body's own task is cancelled by the lifecycle only
  /// after the turn has come.
  public func turnToStop() async { await moments.wait(for: .turn) }

  /// Waits until this phase is told to drain.
  ///
  /// All that required it has ended. Nothing new is admitted any more: stop accepting here, and clean up at
  /// ``turnToStop()``. Returns early when the task that waits is cancelled.
  public func drainRequested() async { await moments.wait(for: .drain) }

  /// Waits until a stop is requested.
  ///
  /// All phases hear it at once, long before the turn of most. Keep serving those that require this phase. Returns early
  /// when the task that waits is cancelled.
  public func stopRequested() async { await moments.wait(for: .stopRequested) }

  /// Waits for a moment; returns early when the task that waits is cancelled, or when the phase has ended.
  public func wait(for moment: Moment) async { await moments.wait(for: moment) }

  /// Whether a stop has been requested: one relaxed atomic read, for hot loops and for threads of an event loop.
  public var isStopRequested: Bool { moments.hasTold }

  /// Whether something that this phase requires restarts: one relaxed atomic read.
  ///
  /// It came back by itself, and is not ready again. ``Lifecycle/events`` tell of it as it happens.
  public var isWaiting: Bool { runs.isWaiting }

  /// When this phase is cancelled at the latest; once it is, when it is abandoned.
  ///
  /// `nil` before a stop is requested. Until it is told to drain it is the deadline of the whole; from then on its own
  /// limit counts, clipped to that.
  public var deadline: ContinuousClock.Instant? { moments.deadline.map { .init($0) } }

  /// Stops this phase alone, with its child phases and with those that require it, in order, while the rest runs.
  ///
  /// From here on it has the time that a stop of the whole would have, clipped to its limit. When no phase is left that
  /// runs, the lifecycle ends. Returns at once. From a run that is over, when the phase was started again, it does
  /// nothing; by its name it can be stopped at any time (``Lifecycle/requestStop(of:)``).
  public func requestStop() { link.driver?.stopAlone(self, .drain) }

  /// Adds a handler for a moment.
  ///
  /// It is called once, on a thread that it may block and outside any lock; soon, when the moment has passed already
  /// (trap 7); never, when the phase ends before.
  package func register(at moment: Moment, _ handler: @escaping @Sendable () -> Void) -> HandlerRegistration {
    let registration = HandlerRegistration(handler)
    if moments.register(registration, at: moment) { environment.perform { registration.run() } }
    return registration
  }
}

/// What the driver tells it.
extension Phase {
  /// With the names of those that it was opened in, at most eight: `web/import`.
  var path: String {
    var (names, next) = ([name], parent)
    while let phase = next, names.count < 8 {
      names.append(phase.name)
      next = phase.parent
    }
    return (next == nil ? "" : "…/") + names.reversed().joined(separator: "/")
  }

  func tell(_ moment: Moment, deadline: MonotonicInstant) {
    // A handler that blocks holds up no other.
    for handler in moments.reach(moment, deadline: deadline) { environment.perform { handler.run() } }
  }

  /// To cancel a task runs its cancellation handlers here and now: not on a thread that keeps deadlines.
  func beCancelled() {
    let isRunning = work.withLock { work in
      work.isCancelled = true
      return work.cancel != nil
    }
    if isRunning { environment.performCancellation { [self] in work.withLock { $0.cancel }?() } }
  }

  /// The phase has ended, or is waited for no longer: no handler is called any more.
  func close() {
    let handlers = moments.close()
    if handlers.isEmpty { return }
    // What a handler holds is the user's, and is released where it may block.
    environment.perform { for handler in handlers { handler.drop() } }
  }

  /// The body of a later run is called.
  func comesBack() { work.withLock { $0.hasBegun = true } }

  /// Whether this is a later run whose body runs: until it is ready the gate is closed to others, but not to itself.
  ///
  /// Only the body was given this value, so that all code that has it has it from there: as in the first run, in which the
  /// gate is open from the beginning.
  var isComingBack: Bool { run > 0 && work.withLock { $0.hasBegun && !$0.hasComeBack } }

  /// The body runs; it may have been cancelled in the same moment.
  func runs(cancelledBy cancel: @escaping @Sendable () -> Void) {
    let isCancelled = work.withLock { work in
      // It may have come back already: what it holds must not stay.
      if !work.hasComeBack { work.cancel = cancel }
      return work.isCancelled
    }
    if isCancelled { environment.performCancellation(cancel) }
  }

  /// The body has come back.
  ///
  /// - Returns: Whether it was given up.
  @discardableResult
  func cameBack() -> Bool {
    // Let go of outside the lock: it holds the task, and what that holds is the user's.
    let (_, isGivenUp) = work.withLock { work in
      work.hasComeBack = true
      defer { work.cancel = nil }
      return (work.cancel, work.isGivenUp)
    }
    return isGivenUp
  }

  /// The body is given up: its end is waited for no longer.
  ///
  /// - Returns: Whether it has come back all the same. Of this and ``cameBack()``, whichever is second returns `true`.
  func beGivenUp() -> Bool {
    work.withLock { work in
      work.isGivenUp = true
      return work.hasComeBack
    }
  }

  /// It leaves its parent.
  ///
  /// - Returns: Whether for the first time.
  func isReleased() -> Bool {
    work.withLock { work in
      defer { work.isReleased = true }
      return !work.isReleased
    }
  }
}

/// From its phases to the driver, which has them: not strong, or neither would ever be freed.
final class DriverLink: Sendable {
  private let reference = Mutex<WeakDriver>(WeakDriver())

  private struct WeakDriver {
    weak var driver: LifecycleDriver?
  }

  var driver: LifecycleDriver? { reference.withLock { $0.driver } }

  /// Once, when the driver is there.
  func set(_ driver: LifecycleDriver) { reference.withLock { $0.driver = driver } }
}
