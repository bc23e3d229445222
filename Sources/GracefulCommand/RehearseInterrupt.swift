internal import CGracefulSystem
internal import GracefulSystem

/// Calls a body for each `SIGHUP`, `SIGINT` and `SIGTERM`, on a thread that a busy pool cannot hold up.
final class RehearseInterrupt: Sendable {
  /// `SIGHUP` too: a terminal that is closed must not leave a server behind.
  private static let signals: [CInt] = [1, 2, 15]

  private let loop: PollLoop
  private let pipe: WakePipe

  init(_ body: @escaping @Sendable () -> Void) throws(SystemError) {
    pipe = try WakePipe(for: "the signals")
    loop = try PollLoop(name: "interrupt")
    _ = loop.watch(pipe.reader, .readable) { [pipe] _ in
      if !pipe.drain().isEmpty { body() }
    }
    for signal in Self.signals {
      let result = cgs_signal_forward(signal, pipe.writer)
      guard result >= 0 else { throw SystemError("sigaction", on: "signal \(signal)", result: result) }
    }
  }

  /// The signals act as before.
  func end() {
    for signal in Self.signals { _ = cgs_signal_default(signal) }
    loop.stop()
  }
}
