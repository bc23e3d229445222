internal import CGracefulSystem
internal import GracefulSystem
internal import Synchronization
internal import SystemPackage

/// The listeners of this process for signals: one handler a signal, one pipe, one thread, any number of listeners.
///
/// A signal has one disposition in a process, so two sources that each installed their own handler would steal from each
/// other. The handler (in C) writes the signal's number into the pipe and nothing else; the thread reads it and tells
/// every listener. No thread of the cooperative pool has a part in this (S9).
package final class SignalRegistry: Sendable {
  package static let shared = SignalRegistry()

  private struct State {
    var arrivals: Arrivals?
    var nextID = 0
    var listeners: [Int: Listener] = [:]
  }

  /// Made for the first listener and kept for ever: a handler may be about to write at any time.
  private struct Arrivals {
    var pipe: WakePipe
    var loop: PollLoop
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
    // A caller that computes the list, and gets none, would wait for ever.
    guard !signals.isEmpty else { throw SignalError(signal: Signal(rawValue: 0), reason: .noSignals) }
    for signal in signals {
      if let refusal = signal.refusal { throw SignalError(signal: signal, reason: refusal) }
    }
    return try state.withLock { state throws(SignalError) in
      let arrivals = if let started = state.arrivals { started } else { try start(for: signals) }
      state.arrivals = arrivals
      var installed: [Signal] = []
      for signal in signals where !state.listeners.values.contains(where: { $0.signals.contains(signal) }) {
        let result = cgs_signal_forward(signal.rawValue, arrivals.pipe.writer)
        guard result >= 0 else {
          for signal in installed { _ = cgs_signal_leave(signal.rawValue) }
          throw SignalError(signal: signal, reason: .system("sigaction", Errno(rawValue: -result)))
        }
        installed.append(signal)
      }
      state.nextID += 1
      state.listeners[state.nextID] = Listener(signals: signals, heard: heard)
      unblock(installed, on: arrivals.loop)
      return state.nextID
    }
  }

  /// Stops listening.
  ///
  /// A call that is on its way already may still arrive. The last listener that leaves a signal restores its default
  /// disposition.
  package func leave(_ id: Int) {
    let gone: Listener? = state.withLock { state in
      guard let listener = state.listeners.removeValue(forKey: id) else { return nil }
      // Under the lock, so that no listener that comes at the same time has its handler taken away.
      for signal in listener.signals
      where !state.listeners.values.contains(where: { $0.signals.contains(signal) }) {
        _ = cgs_signal_leave(signal.rawValue)
      }
      return listener
    }
    // Released outside the lock: what the closure holds may leave, too, as it goes.
    withExtendedLifetime(gone) {}
  }

  private func start(for signals: Set<Signal>) throws(SignalError) -> Arrivals {
    do throws(SystemError) {
      let arrivals = Arrivals(
        pipe: try WakePipe(for: "signals"), loop: try PollLoop(name: "graceful-signal"))
      _ = arrivals.loop.watch(arrivals.pipe.reader, .readable) { [self, pipe = arrivals.pipe] _ in
        for byte in pipe.drain() { tell(Signal(rawValue: Int32(byte))) }
      }
      return arrivals
    } catch {
      throw SignalError(signals, error)
    }
  }

  /// A program that was started with the signal blocked has it blocked in every thread (the mask is inherited through
  /// exec); then the loop's thread takes it.
  private func unblock(_ signals: [Signal], on loop: PollLoop) {
    loop.execute { for signal in signals { _ = cgs_signal_unblock(signal.rawValue) } }
  }

  private func tell(_ signal: Signal) {
    let heard = state.withLock { state in
      state.listeners.sorted { $0.key < $1.key }.filter { $0.value.signals.contains(signal) }.map(\.value.heard)
    }
    for heard in heard { heard(signal) }
  }
}
