internal import Graceful
internal import GracefulDescriptors
public import GracefulShutdown
internal import Synchronization

/// A clock that a test moves by hand: a lifecycle on it sees no other time, and its exit is only noted.
///
/// ```swift
/// @Test(.timeLimit(.minutes(1))) func aWebServerThatHangsIsCutOff() async {
///   let clock = ManualClock()
///   let shop = Lifecycle("shop", grace: .seconds(20))
///   let database = shop.phase("database", script: .obedient, on: clock)
///   shop.phase("web", requires: database, script: .ignoresDrain, on: clock)
///   async let report = shop.run(on: clock)
///   await clock.recorder.wait(for: "web: ready")
///
///   shop.requestStop()
///   await clock.recorder.wait(for: "web: turn")
///   clock.advance(by: .seconds(17))  // 20 s less 2 s to cancel and 1 s to leave
///
///   #expect(await report.exitCode == 124)
///   #expect(await report.stragglers.first?.name == "web")
///   #expect(clock.recorder.saw(inOrder: "web: turn", "web: cancelled", "web: ended", "database: turn"))
/// }
/// ```
///
/// Phases of your own can run beside scripted ones (``PhaseScript``) and scripted services (``ScriptedService``); a
/// ``Recorder`` of the lifecycle says what they are told.
///
/// Only time and the end of the process are manual. What phases do when they are told something, they do on the
/// cooperative pool; handlers and cancellations are called on the threads on which a running program calls them, where
/// they may block. So before the time is advanced again, await an event of the ``recorder`` that shows that the test has
/// come so far.
public final class ManualClock: Sendable {
  private struct State {
    var now: ContinuousClock.Instant
    var wakeUps = TimerQueue<@Sendable () -> Void>()
    /// What only looks whether there is something to say.
    var reminders = TimerQueue<@Sendable () -> Void>()
    var reports: [String] = []
    var exits: [Exit] = []
  }

  /// An exit that would have happened.
  public struct Exit: Hashable, Sendable {
    /// The code.
    public var code: Int32
    /// Whether nothing of the program would have run any more (`_exit`).
    public var atOnce: Bool

    /// Makes one, to compare with.
    public init(code: Int32, atOnce: Bool) {
      self.code = code
      self.atOnce = atOnce
    }
  }

  /// What scripted phases record, and the test may.
  ///
  /// An exit is recorded as `exit 124`.
  public let recorder = Recorder()
  private let state: Mutex<State>

  private let begin: ContinuousClock.Instant
  private static let newYear = UTCTime(milliseconds: 946_684_800_000)

  package let settings: OutsideSettings

  /// Makes one whose time stands at now; in reports it is the beginning of the year 2000.
  ///
  /// The grace is what the program says, whatever the environment of the test says.
  public convenience init() { self.init(settings: OutsideSettings()) }

  /// Makes a clock whose lifecycle is told these settings from outside.
  package init(settings: OutsideSettings) {
    self.settings = settings
    begin = .now
    state = Mutex(State(now: begin))
  }

  /// The time that the lifecycle sees.
  public var time: ContinuousClock.Instant { state.withLock { $0.now } }

  /// The reports that were written, as text.
  public var reports: [String] { state.withLock { $0.reports } }

  /// The exits that would have happened; in a running program there is only the first.
  public var exits: [Exit] { state.withLock { $0.exits } }

  /// Lets time pass: what becomes due is decided here and now, in the order of its instants.
  ///
  /// A negative duration is none. What is asked for later, and was due before, is done at once then. What another thread is
  /// performing at this moment (a body that has just come back) may follow after the return: await it.
  public func advance(by duration: Duration) {
    let end = state.withLock { $0.now + max(duration.bounded, .zero) }
    // One at a time: what is called may ask for another call within the same time.
    while let body = takeNext(until: end) { body() }
    state.withLock { $0.now = max($0.now, end) }
  }

  /// Lets time pass until the next instant at which something becomes due.
  ///
  /// - Returns: Whether there was one.
  @discardableResult
  public func advanceToNext() -> Bool {
    guard let next = state.withLock({ $0.wakeUps.next }) else { return false }
    advance(by: next - time)
    return true
  }

  private func takeNext(until end: ContinuousClock.Instant) -> (@Sendable () -> Void)? {
    state.withLock { state in
      let isReminder =
        state.reminders.next.map { reminder in state.wakeUps.next.map { reminder < $0 } ?? true } ?? false
      let next = isReminder ? state.reminders.next : state.wakeUps.next
      let body = isReminder ? state.reminders.takeNext(until: end) : state.wakeUps.takeNext(until: end)
      guard let next, let body else { return nil }
      state.now = max(state.now, next)
      return body
    }
  }

  /// Waits until this much time has been let pass, whatever is cancelled meanwhile.
  ///
  /// - Parameters:
  ///   - duration: Of the time that the test lets pass, counted from now.
  ///   - event: Recorded once it waits: only then advance the time.
  public func pause(for duration: Duration, recording event: String) async {
    await withCheckedContinuation { continuation in
      state.withLock { state in
        _ = state.wakeUps.add({ continuation.resume() }, at: state.now + duration.bounded)
      }
      recorder.record(event)
    }
  }
}

extension ManualClock: LifecycleEnvironment {
  package func now() -> ContinuousClock.Instant { time }

  package func wallTime() -> UTCTime {
    UTCTime(milliseconds: Self.newYear.milliseconds + Int64((time - begin) / .milliseconds(1)))
  }

  package var processID: Int32 { LiveEnvironment.shared.processID }

  /// What is due already is done at once, by another thread: the test may have let the time pass, on what it was told,
  /// before the thread that told it has come to this.
  package func schedule(at instant: ContinuousClock.Instant, _ body: @escaping @Sendable () -> Void) {
    let isDue = state.withLock { state in
      if instant > state.now { _ = state.wakeUps.add(body, at: instant) }
      return instant <= state.now
    }
    if isDue { perform(body) }
  }

  package func remind(at instant: ContinuousClock.Instant, _ body: @escaping @Sendable () -> Void) {
    state.withLock { _ = $0.reminders.add(body, at: instant) }
  }

  /// By the thread that brought the event: so what follows from the time that a test lets pass is done when `advance`
  /// returns.
  package func performDecisions(_ body: @escaping @Sendable () -> Void) { body() }

  package func perform(_ body: @escaping @Sendable () -> Void) { LiveEnvironment.shared.perform(body) }

  package func performCancellation(_ body: @escaping @Sendable () -> Void) {
    LiveEnvironment.shared.performCancellation(body)
  }

  package func performLogging(_ body: @escaping @Sendable () -> Void) { LiveEnvironment.shared.performLogging(body) }

  package func performObservation(_ body: @escaping @Sendable () -> Void) {
    LiveEnvironment.shared.performObservation(body)
  }

  // By the real clock: what it waits for happens on a real thread.
  package func wait(atMost limit: Duration, until isDone: () -> Bool) {
    LiveEnvironment.shared.wait(atMost: limit, until: isDone)
  }

  package func surround<Result: Sendable>(
    _ phase: Phase, _ body: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    try await LiveEnvironment.shared.surround(phase, body)
  }

  package func write(report: LifecycleReport, exitHooks: [ExitHook]) {
    for exitHook in exitHooks where exitHook.moment == .withReport { exitHook.say(report) }
    state.withLock { $0.reports.append(report.text) }
    for exitHook in exitHooks where exitHook.moment == .last { exitHook.say(report) }
  }

  package func exit(_ code: Int32, atOnce: Bool) {
    state.withLock { $0.exits.append(Exit(code: code, atOnce: atOnce)) }
    recorder.record("exit \(code)")
  }
}

extension Lifecycle {
  /// Runs under a manual clock; see there for an example.
  ///
  /// - Parameters:
  ///   - clock: Whose time counts, and where the end of the process is noted.
  ///   - exiting: As `runAndExit` does: the report is written to the clock, and the exit noted there.
  public func run(on clock: ManualClock, exiting: Bool = false) async -> LifecycleReport {
    await run(in: clock, exiting: exiting)
  }
}
