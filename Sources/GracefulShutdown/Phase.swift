import Synchronization

/// What the body of a phase uses to say that it is ready, and to hear that it shall stop.
///
/// Every function may be called from any thread, any number of times, also after the phase has ended.
public final class Phase: Sendable {
  /// The name that it was given.
  public let name: String

  private let heard = Bell()
  private let turn = Bell()
  private let flag = Atomic(false)
  private let standing = Mutex(Standing())

  private struct Standing {
    var becomeReady: (@Sendable () -> Void)?
    var rung = Rung.running
    var deadline: ContinuousClock.Instant?
    var task: Task<Void, Never>?
  }

  private enum Rung: Int {
    case running, heard, turn, cancelled
  }

  /// Lets its sessions and child phases in.
  package let gate: SessionGate
  package let environment: any LifecycleEnvironment

  package init(name: String, environment: any LifecycleEnvironment) {
    self.name = name
    self.environment = environment
    gate = SessionGate(now: { environment.now() })
  }

  /// The phase that the current task is in; `nil` outside any.
  public static var current: Phase? { place?.phase }

  /// Says that what requires this phase may start now.
  ///
  /// Only the first call counts; a second one, or one after the end, is ignored and noted in the report. A phase that
  /// never says so keeps those that require it waiting until a stop is requested.
  public func ready() {
    let becomeReady = standing.withLock { $0.becomeReady }
    becomeReady?()
  }

  /// Waits for the turn to stop: everything that required this phase has ended, or been abandoned.
  ///
  /// Returns early when the task that waits is cancelled. The body's own task is cancelled by the lifecycle only after
  /// the turn has come.
  public func turnToStop() async { await turn.wait() }

  /// Waits until a stop is requested.
  ///
  /// All phases hear it at once, long before the turn of most.
  ///
  /// Take nothing new from here on, but keep serving those that require this phase. Returns early when the task that
  /// waits is cancelled.
  public func stopRequested() async { await heard.wait() }

  /// Whether a stop has been requested: one relaxed atomic read, for hot loops and for threads of an event loop.
  public var isStopRequested: Bool { flag.load(ordering: .relaxed) }

  /// When this phase is cancelled at the latest; once it is, when it is abandoned.
  ///
  /// `nil` before a stop is requested.
  ///
  /// Until its turn it is the deadline of the whole; from then on its own limit counts, clipped to that.
  public var deadline: ContinuousClock.Instant? { standing.withLock { $0.deadline } }
}

/// What the driver tells it. Each rung includes the ones below: two threads may bring their news in the wrong order, and
/// the one that was overtaken then changes nothing.
extension Phase {
  /// Before its body is called.
  func whenReady(_ becomeReady: @escaping @Sendable () -> Void) {
    standing.withLock { $0.becomeReady = becomeReady }
  }

  func hear(deadline: ContinuousClock.Instant) {
    climb(to: .heard, deadline)
    ringHeard()
  }

  func takeTurn(deadline: ContinuousClock.Instant) {
    climb(to: .turn, deadline)
    ringHeard()
    turn.ring()
  }

  /// - Returns: The task to cancel, by the caller: to cancel runs handlers of the user, which may block.
  func beCancelled(deadline: ContinuousClock.Instant) -> Task<Void, Never>? {
    let task = climb(to: .cancelled, deadline)
    ringHeard()
    turn.ring()
    return task
  }

  /// - Returns: Whether the phase was cancelled before its task was known; the caller then cancels it.
  func run(in task: Task<Void, Never>) -> Bool {
    standing.withLock { standing in
      standing.task = task
      return standing.rung == .cancelled
    }
  }

  @discardableResult
  private func climb(to rung: Rung, _ deadline: ContinuousClock.Instant) -> Task<Void, Never>? {
    standing.withLock { standing in
      if rung.rawValue > standing.rung.rawValue {
        standing.rung = rung
        standing.deadline = deadline
      } else if rung == standing.rung {
        standing.deadline = standing.deadline.map { min($0, deadline) } ?? deadline
      }
      return standing.task
    }
  }

  private func ringHeard() {
    flag.store(true, ordering: .relaxed)
    heard.ring()
  }
}
