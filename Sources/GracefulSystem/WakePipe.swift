internal import CGracefulSystem

/// Wakes a thread that waits in poll(2): a pipe whose reading end becomes readable.
///
/// Both ends are closed when the last reference to it goes, so that no thread writes to a number that meanwhile belongs to
/// another file. Both are close-on-exec and non-blocking.
package final class WakePipe: Sendable {
  /// The end to wait for.
  package let reader: Int32
  /// The end for a signal handler; every other caller uses ``wake()``.
  package let writer: Int32

  /// - Parameter subject: Whose it is, for the error.
  /// - Throws: `EMFILE` when the process has no descriptor left.
  package init(for subject: String) throws(SystemError) {
    var ends: [Int32] = [-1, -1]
    let result = cgs_pipe(&ends)
    guard result >= 0 else { throw SystemError("pipe2", on: subject, result: result) }
    (reader, writer) = (ends[0], ends[1])
  }

  deinit {
    _ = cgs_close(reader)
    _ = cgs_close(writer)
  }

  /// From any thread.
  package func wake() {
    var byte: UInt8 = 0
    // A full pipe wakes just as well.
    _ = cgs_write(writer, &byte, 1)
  }

  /// Takes what was written until now, so that the next ``wake()`` is a new one.
  /// - Returns: The bytes, 64 at the most.
  @discardableResult
  package func drain() -> ArraySlice<UInt8> {
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = cgs_read(reader, &bytes, bytes.count)
    return bytes.prefix(max(0, count))
  }

  /// Blocks the calling thread until it is woken, for so long at the most; returns early when a signal comes.
  package func wait(atMost limit: Duration) {
    var entry = cgs_poll(fd: reader, wanted: Int16(CGS_POLL_IN), happened: 0)
    if cgs_poll(&entry, 1, PollTimeout.milliseconds(limit)) > 0 { drain() }
  }
}
