internal import CGracefulSystem
internal import GracefulDescriptors
internal import SystemPackage

/// Calls a body for each `SIGINT` and `SIGTERM`, on a thread that a busy pool cannot hold up.
final class RehearseInterrupt: Sendable {
  private static let signals: [CInt] = [2, 15]

  private let loop: PollLoop
  private let reader: OwnedDescriptor
  private let writer: OwnedDescriptor

  init(_ body: @escaping @Sendable () -> Void) throws(SystemError) {
    var ends: [CInt] = [-1, -1]
    let piped = cgs_pipe(&ends)
    guard piped >= 0 else { throw SystemError("pipe2", on: "the signals", result: piped) }
    let reader = ends[0]
    self.reader = OwnedDescriptor(adopting: FileDescriptor(rawValue: reader))
    writer = OwnedDescriptor(adopting: FileDescriptor(rawValue: ends[1]))
    loop = try PollLoop(name: "interrupt")
    _ = loop.watch(reader, .readable) { _ in
      var bytes = [UInt8](repeating: 0, count: 16)
      let count = cgs_read(reader, &bytes, bytes.count)
      if count > 0 { body() }
    }
    for signal in Self.signals {
      let result = cgs_signal_forward(signal, ends[1])
      guard result >= 0 else { throw SystemError("sigaction", on: "signal \(signal)", result: result) }
    }
  }

  /// The signals act as before.
  func end() {
    for signal in Self.signals { _ = cgs_signal_default(signal) }
    loop.stop()
  }
}
