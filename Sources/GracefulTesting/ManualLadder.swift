package import GracefulShutdown
internal import Synchronization

/// An environment for a lifecycle under test: time stands still until the test advances it, and an exit is only noted.
///
/// ```swift
/// @Test(.timeLimit(.minutes(1))) func aWebServerThatHangsIsCutOff() async {
///   let ladder = ManualLadder()
///   let shop = Lifecycle("shop", grace: .seconds(20))
///   let database = shop.phase("database", script: .obedient, on: ladder)
///   shop.phase("web", requires: database, script: .ignoresDrain, on: ladder)
///   async let report = shop.run(on: ladder)
///   await ladder.recorder.wait(for: "web: ready")
///
///   shop.requestStop()
///   await ladder.recorder.wait(for: "web: turn")
///   ladder.advance(by: .seconds(17))          // 20 s less 2 s to cancel and 1 s to leave
///
///   #expect(await report.exitCode == 124)
///   #expect(await report.stragglers.first?.name == "web")
///   #expect(ladder.recorder.saw(inOrder: "web: turn", "web: cancelled", "web: ended", "database: turn"))
/// }
/// ```
///
/// Only time is manual. What phases do when they are told something, they do on the cooperative pool: await an event of
/// the ``recorder`` before the time is advanced again.
public final class ManualLadder: Sendable {
  private struct State {
    var now: ContinuousClock.Instant
    var wakeUps: [(at: ContinuousClock.Instant, body: @Sendable () -> Void)] = []
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

  /// Makes one whose time stands at now.
  public init() { state = Mutex(State(now: .now)) }

  /// The time that the lifecycle sees.
  public var time: ContinuousClock.Instant { state.withLock { $0.now } }

  /// The reports that were written, as text.
  public var reports: [String] { state.withLock { $0.reports } }

  /// The exits that would have happened; in the live ladder there is only the first.
  public var exits: [Exit] { state.withLock { $0.exits } }

  /// Lets time pass: what becomes due is called here and now, in the order of its instants.
  public func advance(by duration: Duration) {
    let end = state.withLock { $0.now + duration }
    // One at a time: what is called may ask for another call within the same time.
    while let body = takeNext(until: end) { body() }
    state.withLock { $0.now = max($0.now, end) }
  }

  /// Lets time pass until the next instant at which something becomes due.
  ///
  /// - Returns: Whether there was one.
  @discardableResult
  public func advanceToNext() -> Bool {
    guard let next = state.withLock({ $0.wakeUps.map(\.at).min() }) else { return false }
    advance(by: max(next - time, .zero))
    return true
  }

  private func takeNext(until end: ContinuousClock.Instant) -> (@Sendable () -> Void)? {
    state.withLock { state in
      let due = state.wakeUps.indices.filter { state.wakeUps[$0].at <= end }
      // Of several at one instant, the one that was asked for first.
      guard let next = due.min(by: { (state.wakeUps[$0].at, $0) < (state.wakeUps[$1].at, $1) }) else { return nil }
      let wakeUp = state.wakeUps.remove(at: next)
      state.now = max(state.now, wakeUp.at)
      return wakeUp.body
    }
  }

  /// Waits until this much time has been let pass.
  ///
  /// - Parameter event: Recorded once it waits: only then advance the time.
  public func pause(for duration: Duration, recording event: String) async {
    await withCheckedContinuation { continuation in
      state.withLock { state in
        state.wakeUps.append((state.now + duration, { continuation.resume() }))
      }
      recorder.record(event)
    }
  }
}

extension ManualLadder: LifecycleEnvironment {
  package func now() -> ContinuousClock.Instant { time }

  package func schedule(at instant: ContinuousClock.Instant, _ body: @escaping @Sendable () -> Void) {
    state.withLock { $0.wakeUps.append((instant, body)) }
  }

  package func perform(_ body: @escaping @Sendable () -> Void) { body() }

  package func write(report: LifecycleReport) { state.withLock { $0.reports.append(report.text) } }

  package func exit(_ code: Int32, atOnce: Bool) {
    state.withLock { $0.exits.append(Exit(code: code, atOnce: atOnce)) }
    recorder.record("exit \(code)")
  }
}
