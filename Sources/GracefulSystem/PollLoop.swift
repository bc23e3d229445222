internal import CGracefulSystem
internal import Synchronization

/// One thread that waits for descriptors and instants, and runs what it is given, in order.
///
/// It is the place for work that must go on although every thread of Swift's cooperative pool is blocked. Everything given
/// to it runs on that one thread, never two at a time; what blocks holds up all that comes after it.
///
/// The thread keeps the loop alive until ``stop()``.
package final class PollLoop: Sendable {
  /// What a watch waits for.
  package struct Interest: OptionSet, Sendable {
    package let rawValue: Int16
    package init(rawValue: Int16) { self.rawValue = rawValue }
    package static let readable = Interest(rawValue: Int16(CGS_POLL_IN))
    package static let writable = Interest(rawValue: Int16(CGS_POLL_OUT))
  }

  /// What happened on a watched descriptor.
  package struct Readiness: OptionSet, Sendable {
    package let rawValue: Int16
    package init(rawValue: Int16) { self.rawValue = rawValue }
    package static let readable = Readiness(rawValue: Int16(CGS_POLL_IN))
    package static let writable = Readiness(rawValue: Int16(CGS_POLL_OUT))
    package static let hangup = Readiness(rawValue: Int16(CGS_POLL_HANGUP))
    package static let error = Readiness(rawValue: Int16(CGS_POLL_ERROR))
    /// The descriptor is not open (any more): its owner did not take the watch back first.
    ///
    /// The loop drops it.
    package static let invalid = Readiness(rawValue: Int16(CGS_POLL_INVALID))
  }

  package struct WatchID: Hashable, Sendable { let number: UInt64 }
  package struct TimerID: Hashable, Sendable { let id: TimerQueue<@Sendable () -> Void>.ID? }

  private struct Watch {
    var descriptor: Int32
    var interest: Interest
    /// Whether the watch ends with its first report.
    var isOneShot = false
    var ready: @Sendable (Readiness) -> Void
  }

  private struct State {
    var nextID: UInt64 = 0
    var stopped = false
    var wakePending = false
    var jobs: [@Sendable () -> Void] = []
    var watches: [WatchID: Watch] = [:]
    var timers = TimerQueue<@Sendable () -> Void>()

    mutating func newID() -> UInt64 {
      nextID += 1
      return nextID
    }
  }

  private let state = Mutex(State())
  private let wake: WakePipe

  /// Starts the thread.
  /// - Parameter name: What debuggers and `ps -L` show; the system keeps 15 bytes of it.
  /// - Throws: When there is no descriptor or no thread to be had.
  package init(name: String) throws(SystemError) {
    wake = try WakePipe(for: "poll loop \(name)")
    try SystemThread.start(name) { self.run() }
  }

  /// Runs `body` on the loop's thread, after what was given before.
  ///
  /// After ``stop()`` it is dropped.
  package func execute(_ body: @escaping @Sendable () -> Void) {
    change { if !$0.stopped { $0.jobs.append(body) } }
  }

  /// Calls `ready` on the loop's thread whenever the descriptor is ready, again and again until it is taken back.
  ///
  /// Hang-up and error are reported whatever the interest is. The descriptor stays its owner's, and the owner takes the
  /// watch back *before* closing it.
  package func watch(
    _ descriptor: Int32, _ interest: Interest, _ ready: @escaping @Sendable (Readiness) -> Void
  ) -> WatchID {
    change {
      let id = WatchID(number: $0.newID())
      if !$0.stopped { $0.watches[id] = Watch(descriptor: descriptor, interest: interest, ready: ready) }
      return id
    }
  }

  /// Calls `ready` once, on the loop's thread, when the descriptor is ready; the watch has been taken back by then, and the
  /// descriptor may be closed.
  package func watchOnce(
    _ descriptor: Int32, _ interest: Interest, _ ready: @escaping @Sendable (Readiness) -> Void
  ) -> WatchID {
    change {
      let id = WatchID(number: $0.newID())
      if !$0.stopped {
        $0.watches[id] = Watch(descriptor: descriptor, interest: interest, isOneShot: true, ready: ready)
      }
      return id
    }
  }

  /// Changes what a watch waits for.
  package func update(_ id: WatchID, _ interest: Interest) {
    change { $0.watches[id]?.interest = interest }
  }

  /// Takes a watch back.
  ///
  /// On the loop's own thread it is exact; from another one, a call may still be running.
  /// - Returns: Whether the watch was still there: a watch that reports once has not then, and will not.
  @discardableResult
  package func unwatch(_ id: WatchID) -> Bool {
    // Given out of the lock: what a closure holds may call this loop when it goes.
    let watch = change { $0.watches.removeValue(forKey: id) }
    return withExtendedLifetime(watch) { watch != nil }
  }

  /// Calls `body` once, on the loop's thread, when the instant has come.
  package func schedule(at deadline: ContinuousClock.Instant, _ body: @escaping @Sendable () -> Void) -> TimerID {
    change { TimerID(id: $0.stopped ? nil : $0.timers.add(body, at: deadline)) }
  }

  /// Takes a timer back.
  ///
  /// On the loop's own thread it is exact; from another one, a call may still be running.
  package func cancel(_ id: TimerID) {
    // Given out of the lock, as above.
    let timer = change { state in id.id.flatMap { state.timers.remove($0) } }
    withExtendedLifetime(timer) {}
  }

  /// Ends the thread after what it is doing now.
  ///
  /// Nothing that was given and has not run will run.
  package func stop() {
    change { $0.stopped = true }
  }

  private func change<Result>(_ body: (inout sending State) -> sending Result) -> sending Result {
    let (result, isFirst) = state.withLock { state in
      let result = body(&state)
      let isFirst = !state.wakePending
      state.wakePending = true
      return (result, isFirst)
    }
    if isFirst { wake.wake() }
    return result
  }

  // MARK: The thread

  private func run() {
    while let entries = turn() {
      var polled = [cgs_poll(fd: wake.reader, wanted: Interest.readable.rawValue, happened: 0)]
      polled += entries.map { cgs_poll(fd: $0.watch.descriptor, wanted: $0.watch.interest.rawValue, happened: 0) }
      let count = cgs_poll(&polled, polled.count, timeout())
      guard count > 0 else {
        // No memory, or more watches than RLIMIT_NOFILE: the timers go on, without a turn at full speed. A signal that this
        // thread has taken is about to be read, and waits for nothing.
        if count < 0, count != interruptedCall { PollTimeout.pause(.milliseconds(10)) }
        continue
      }
      if polled[0].happened != 0 { drainWake() }
      for (index, entry) in entries.enumerated() where polled[index + 1].happened != 0 {
        // An earlier handler of this round may have taken this watch back and closed its descriptor.
        let current = state.withLock { state in
          entry.watch.isOneShot ? state.watches.removeValue(forKey: entry.id) : state.watches[entry.id]
        }
        guard let watch = current else { continue }
        let readiness = Readiness(rawValue: polled[index + 1].happened)
        watch.ready(readiness)
        // Reported once: poll(2) would say so again at once, for ever.
        if readiness.contains(.invalid) { unwatch(entry.id) }
      }
    }
    // What the closures hold may hold this loop, and may call it when it goes: not under the lock. A value that is not used,
    // the optimizer would release at once, and so under it: a control server that went then was a recursive lock, and SIGILL.
    let left = state.withLock { state in
      defer {
        state.jobs = []
        state.watches = [:]
        state.timers = TimerQueue()
      }
      return (state.jobs, state.watches, state.timers)
    }
    withExtendedLifetime(left) {}
  }

  /// Runs what is due; then the watches to wait for, or nil when the loop has been stopped.
  private func turn() -> [(id: WatchID, watch: Watch)]? {
    while true {
      let now = ContinuousClock.now
      let (due, stopped) = state.withLock { state in
        var due = state.jobs
        state.jobs = []
        // One at a time: its body may take back another timer that is due.
        if due.isEmpty, let next = state.timers.takeNext(until: now) { due.append(next) }
        return (due, state.stopped)
      }
      if stopped { return nil }
      if due.isEmpty { break }
      for body in due { body() }
    }
    return state.withLock { $0.watches.map { (id: $0.key, watch: $0.value) } }
  }

  /// Milliseconds until the next timer.
  private func timeout() -> Int32 {
    guard let next = state.withLock({ $0.jobs.isEmpty ? $0.timers.next : ContinuousClock.now }) else {
      return -1
    }
    return PollTimeout.milliseconds(next - ContinuousClock.now)
  }

  private func drainWake() {
    // Read first, then lower the flag: a change between the two writes no byte, but it is seen, because the loop looks
    // at its state before it waits again. The other way round its byte could be swallowed with the flag left up.
    wake.drain()
    state.withLock { $0.wakePending = false }
  }
}
