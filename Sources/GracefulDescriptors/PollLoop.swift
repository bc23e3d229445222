internal import CGracefulSystem
internal import Synchronization
internal import SystemPackage

/// One thread that waits for descriptors and instants, and runs what it is given, in order.
///
/// It is the place for work that must go on although every thread of Swift's cooperative pool is blocked: the ladder
/// of a shutdown, the dialogue of a handover, the death of a process. Everything given to it runs on that one thread,
/// never two at a time; what is given must not block.
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
    /// The descriptor is not open (any more): its owner forgot to take the watch back first.
    ///
    /// The loop drops it.
    package static let invalid = Readiness(rawValue: Int16(CGS_POLL_INVALID))
  }

  package struct WatchID: Hashable, Sendable { let number: UInt64 }
  package struct TimerID: Hashable, Sendable { let id: Agenda<@Sendable () -> Void>.ID? }

  private struct Watch {
    var descriptor: Int32
    var interest: Interest
    var ready: @Sendable (Readiness) -> Void
  }

  private struct State {
    var nextID: UInt64 = 0
    var stopped = false
    var wakePending = false
    var jobs: [@Sendable () -> Void] = []
    var watches: [WatchID: Watch] = [:]
    var timers = Agenda<@Sendable () -> Void>()

    mutating func newID() -> UInt64 {
      nextID += 1
      return nextID
    }
  }

  private let state = Mutex(State())
  private let wakeReader: OwnedDescriptor
  private let wakeWriter: OwnedDescriptor

  /// Starts the thread.
  /// - Parameter name: what debuggers and `ps -L` show; the system keeps 15 bytes of it.
  /// - Throws: when there is no descriptor or no thread to be had.
  package init(name: String) throws(SystemError) {
    var ends: [Int32] = [-1, -1]
    let piped = cgs_pipe(&ends)
    guard piped >= 0 else { throw SystemError("pipe2", on: "poll loop \(name)", result: piped) }
    wakeReader = OwnedDescriptor(adopting: FileDescriptor(rawValue: ends[0]))
    wakeWriter = OwnedDescriptor(adopting: FileDescriptor(rawValue: ends[1]))
    let retained = Unmanaged.passRetained(self)
    let started = cgs_thread_start(
      name, { Unmanaged<PollLoop>.fromOpaque($0!).takeRetainedValue().run() }, retained.toOpaque())
    guard started >= 0 else {
      retained.release()
      throw SystemError("pthread_create", on: "poll loop \(name)", result: started)
    }
  }

  /// Runs `body` on the loop's thread, after what was given before.
  ///
  /// After ``stop()`` it is dropped.
  package func execute(_ body: @escaping @Sendable () -> Void) {
    change { if !$0.stopped { $0.jobs.append(body) } }
  }

  /// Calls `ready` on the loop's thread whenever the descriptor is ready, again and again until it is taken back.
  ///
  /// Hang-up and error are reported whatever the interest is. The descriptor stays its owner's, who takes the watch
  /// back *before* closing it.
  package func watch(
    _ descriptor: Int32, _ interest: Interest, _ ready: @escaping @Sendable (Readiness) -> Void
  ) -> WatchID {
    change {
      let id = WatchID(number: $0.newID())
      if !$0.stopped { $0.watches[id] = Watch(descriptor: descriptor, interest: interest, ready: ready) }
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
  package func unwatch(_ id: WatchID) {
    // Given out of the lock: what a closure holds may call this loop when it goes.
    let watch = change { $0.watches.removeValue(forKey: id) }
    withExtendedLifetime(watch) {}
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
    let (result, wake) = state.withLock { state in
      let result = body(&state)
      let wake = !state.wakePending
      state.wakePending = true
      return (result, wake)
    }
    if wake {
      var byte: UInt8 = 0
      // A full pipe wakes just as well.
      _ = cgs_write(wakeWriter.number, &byte, 1)
    }
    return result
  }

  // MARK: The thread

  private func run() {
    while let entries = turn() {
      var polled = [cgs_poll(fd: wakeReader.number, wanted: Interest.readable.rawValue, happened: 0)]
      polled += entries.map { cgs_poll(fd: $0.watch.descriptor, wanted: $0.watch.interest.rawValue, happened: 0) }
      let count = cgs_poll(&polled, polled.count, timeout())
      guard count > 0 else {
        // No memory, or more watches than RLIMIT_NOFILE: the timers go on, without a turn at full speed.
        if count < 0 { _ = cgs_poll(nil, 0, 10) }
        continue
      }
      if polled[0].happened != 0 { drainWake() }
      for (index, entry) in entries.enumerated() where polled[index + 1].happened != 0 {
        // An earlier handler of this round may have taken this watch back and closed its descriptor.
        guard let watch = state.withLock({ $0.watches[entry.id] }) else { continue }
        let readiness = Readiness(rawValue: polled[index + 1].happened)
        watch.ready(readiness)
        // Reported once: poll(2) would say so again at once, for ever.
        if readiness.contains(.invalid) { unwatch(entry.id) }
      }
    }
    // What the closures hold may hold this loop, and may call it when it goes: not under the lock. What nobody uses, the
    // optimizer would release at once, and so under it: a control server that went then was a recursive lock, and SIGILL.
    let left = state.withLock { state in
      defer {
        state.jobs = []
        state.watches = [:]
        state.timers = Agenda()
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
        // One at a time: it may take back another one that is due.
        if due.isEmpty, let next = state.timers.takeNext(until: now) { due.append(next) }
        return (due, state.stopped)
      }
      if stopped { return nil }
      if due.isEmpty { break }
      for body in due { body() }
    }
    return state.withLock { $0.watches.map { (id: $0.key, watch: $0.value) } }
  }

  /// Milliseconds until the next timer, rounded up so that the loop does not spin before it.
  private func timeout() -> Int32 {
    guard let next = state.withLock({ $0.jobs.isEmpty ? $0.timers.next : ContinuousClock.now }) else {
      return -1
    }
    let remaining = next - ContinuousClock.now
    guard remaining > .zero else { return 0 }
    // Before it is taken apart: more seconds than an Int64 holds would trap.
    guard remaining < .seconds(1_000_000) else { return 1_000_000_000 }
    let (seconds, attoseconds) = remaining.components
    return Int32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }

  private func drainWake() {
    // Read first, then lower the flag: a change between the two writes no byte, but it is seen, because the loop looks
    // at its state before it waits again. The other way round its byte could be swallowed with the flag left up.
    var bytes = [UInt8](repeating: 0, count: 64)
    _ = cgs_read(wakeReader.number, &bytes, bytes.count)
    state.withLock { $0.wakePending = false }
  }
}
