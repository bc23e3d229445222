internal import CGracefulSystem
internal import Synchronization
internal import SystemPackage

/// Who in this process listens for which signal: one handler a signal, one pipe, one thread, any number of listeners.
///
/// A signal has one disposition in a process, so two sources that each installed their own handler would steal from each
/// other. The handler (in C) writes the signal's number into the pipe and nothing else; the thread reads it and tells
/// every listener. No thread of the cooperative pool has a part in this (S9).
package final class SignalRegistry: Sendable {
  package static let shared = SignalRegistry()

  private struct State {
    /// Made for the first listener and never closed: a handler may be about to write at any time.
    var pipe: [Int32] = []
    var nextID = 0
    var listeners: [Int: Listener] = [:]
    /// What the thread shall take out of its mask.
    var blocked: [Signal] = []
  }

  private struct Listener {
    var signals: Set<Signal>
    var heard: @Sendable (Signal) -> Void
  }

  private let state = Mutex(State())

  private init() {}

  /// Calls `heard` at each arrival, on the registry's thread, which serves every listener: it must not block.
  ///
  /// When this returns, the handler is installed.
  package func listen(
    for signals: Set<Signal>, _ heard: @escaping @Sendable (Signal) -> Void
  ) throws(SignalError) -> Int {
    // Somebody who computes the list, and gets none, would wait for ever.
    guard !signals.isEmpty else { throw SignalError(signal: Signal(rawValue: 0), reason: .noSignals) }
    for signal in signals {
      if let refusal = signal.refusal { throw SignalError(signal: signal, reason: refusal) }
    }
    return try state.withLock { state throws(SignalError) in
      if state.pipe.isEmpty { state.pipe = try start(for: signals) }
      var installed: [Signal] = []
      for signal in signals where !state.listeners.values.contains(where: { $0.signals.contains(signal) }) {
        let result = cgs_signal_forward(signal.rawValue, state.pipe[1])
        guard result >= 0 else {
          for signal in installed { _ = cgs_signal_leave(signal.rawValue) }
          throw SignalError(signal: signal, reason: .system("sigaction", Errno(rawValue: -result)))
        }
        installed.append(signal)
      }
      state.nextID += 1
      state.listeners[state.nextID] = Listener(signals: signals, heard: heard)
      state.blocked += installed
      wake(state.pipe[1])
      return state.nextID
    }
  }

  /// Stops listening.
  ///
  /// A call that is on its way already may still arrive. The last one who leaves a signal restores its default
  /// disposition.
  package func leave(_ id: Int) {
    state.withLock { state in
      guard let listener = state.listeners.removeValue(forKey: id) else { return }
      // Under the lock, so that nobody who comes at the same time has his handler taken away.
      for signal in listener.signals
      where !state.listeners.values.contains(where: { $0.signals.contains(signal) }) {
        _ = cgs_signal_leave(signal.rawValue)
      }
    }
  }

  private func start(for signals: Set<Signal>) throws(SignalError) -> [Int32] {
    let signal = signals.first ?? .terminate
    var ends: [Int32] = [-1, -1]
    let piped = cgs_pipe(&ends)
    guard piped >= 0 else { throw SignalError(signal: signal, reason: .system("pipe2", Errno(rawValue: -piped))) }
    // The registry lives as long as the process, so the thread may hold it without counting.
    let started = cgs_thread_start(
      "graceful-signal",
      { context in
        guard let context else { return }
        Unmanaged<SignalRegistry>.fromOpaque(context).takeUnretainedValue().serve()
      }, Unmanaged.passUnretained(self).toOpaque())
    guard started >= 0 else {
      for end in ends { _ = cgs_close(end) }
      throw SignalError(signal: signal, reason: .system("pthread_create", Errno(rawValue: -started)))
    }
    return ends
  }

  /// Zero is no signal's number: it means that there is something in `blocked`.
  private func wake(_ writer: Int32) {
    var zero: UInt8 = 0
    _ = cgs_write(writer, &zero, 1)
  }

  // MARK: The thread

  private func serve() {
    // `listen` holds the lock until the pipe is stored.
    let reader = state.withLock { $0.pipe.first ?? -1 }
    var poll = cgs_poll(fd: reader, wanted: Int16(CGS_POLL_IN), happened: 0)
    var bytes = [UInt8](repeating: 0, count: 64)
    while true {
      // EINTR: a signal was delivered to this very thread; its byte is in the pipe.
      guard cgs_poll(&poll, 1, -1) > 0 else { continue }
      let count = cgs_read(reader, &bytes, bytes.count)
      unblock()
      guard count > 0 else { continue }
      for byte in bytes[..<count] where byte != 0 { tell(Signal(rawValue: Int32(byte))) }
    }
  }

  /// A program that was started with the signal blocked has it blocked in every thread (the mask is inherited through
  /// exec); this thread then is the one that takes it.
  private func unblock() {
    let signals = state.withLock { state in
      defer { state.blocked = [] }
      return state.blocked
    }
    for signal in signals { _ = cgs_signal_unblock(signal.rawValue) }
  }

  private func tell(_ signal: Signal) {
    let heard = state.withLock { state in
      state.listeners.sorted { $0.key < $1.key }.filter { $0.value.signals.contains(signal) }.map(\.value.heard)
    }
    for heard in heard { heard(signal) }
  }
}
