internal import GracefulSystem
internal import Synchronization

/// Threads for work that may block them: one while nothing does, more when something does.
///
/// A thread for each piece is too dear: to start one costs 26 µs (measured), and 100,000 phases may be told to drain in the
/// same instant. So one thread does all that there is to do, and ends. When pieces wait, and in 5 ms it has begun fewer
/// than ``prompt``, it is taken for blocked or slow, and another one is started beside it; then twice as many, and so on,
/// until there are ``mostThreads``. When that many are blocked, what comes later waits until one of them is
/// not; neither deadlines nor the exit wait for it, they have threads of their own.
final class BlockingCallPool: Sendable {
  private struct State {
    var waiting: [@Sendable () -> Void] = []
    /// Before it, those in `waiting` have been begun.
    var next = 0
    var begun = 0
    var threads = 0
    var isWatched = false
  }

  static let patience = Duration.milliseconds(5)
  /// How many pieces a thread begins in that time when they are short.
  static let prompt = 32
  /// A program whose handlers block does not get a thread for each of 100,000 phases.
  static let mostThreads = 64

  private let state = Mutex(State())
  private let schedule: @Sendable (ContinuousClock.Instant, @escaping @Sendable () -> Void) -> Void

  /// - Parameter schedule: calls its second argument at that instant, and is never held up.
  init(schedule: @escaping @Sendable (ContinuousClock.Instant, @escaping @Sendable () -> Void) -> Void) {
    self.schedule = schedule
  }

  /// How many threads there are.
  var threads: Int { state.withLock { $0.threads } }

  func perform(_ work: @escaping @Sendable () -> Void) {
    let (isFirst, begun): (Bool, Int?) = state.withLock { state in
      state.waiting.append(work)
      let isFirst = state.threads == 0
      if isFirst { state.threads = 1 }
      defer { state.isWatched = true }
      return (isFirst, state.isWatched ? nil : state.begun)
    }
    if isFirst { startThread() }
    if let begun { watch(since: begun) }
  }

  private func startThread() {
    SystemThread.startOrTask("graceful-calls") { [self] in
      while let work = takeNext() { work() }
    }
  }

  /// In the same step as it finds nothing to do, a thread counts as ended: the next piece of work starts one.
  private func takeNext() -> (@Sendable () -> Void)? {
    let (work, done): ((@Sendable () -> Void)?, [@Sendable () -> Void]) = state.withLock { state in
      guard state.next < state.waiting.count else {
        defer {
          state.waiting = []
          state.next = 0
          state.threads -= 1
        }
        return (nil, state.waiting)
      }
      defer {
        state.next += 1
        state.begun += 1
      }
      return (state.waiting[state.next], [])
    }
    // Let go of outside the lock: what they hold may be the last reference to something of the user's.
    _ = done
    return work
  }

  /// Looks, once the patience is over, whether another piece has been begun since then.
  private func watch(since begun: Int) {
    schedule(.now + Self.patience) { [self] in
      let (more, now): (Int, Int?) = state.withLock { state in
        // When all that may be are blocked, watching does not help: the first of them that is not goes on by itself.
        guard state.next < state.waiting.count, state.threads < Self.mostThreads else {
          state.isWatched = false
          return (0, nil)
        }
        guard state.begun - begun < Self.prompt * max(state.threads, 1) else { return (0, state.begun) }
        let more = min(max(state.threads, 1), state.waiting.count - state.next, Self.mostThreads - state.threads)
        state.threads += more
        return (more, state.begun)
      }
      for _ in 0..<more { startThread() }
      if let now { watch(since: now) }
    }
  }
}
