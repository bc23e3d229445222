internal import CGracefulSystem

/// Writes to a descriptor that perhaps nobody reads, without being held up by that.
enum LastWords {
  /// Writes as much as can be written within the limit, and returns then at the latest.
  ///
  /// The descriptor may be a pipe that is full, or a terminal that is stopped (^S). It is not made non-blocking: that
  /// would change the file for everybody who has it open, the shell included. So a thread of its own writes, and whoever
  /// waits for it waits no longer than the limit.
  static func write(_ text: String, to descriptor: Int32, within limit: Duration) {
    var ends: [Int32] = [-1, -1]
    let milliseconds = Int32(limit / .milliseconds(1))
    guard cgs_pipe(&ends) >= 0 else { return writeWhatFits(text, to: descriptor) }
    let writer = ends[1]
    LadderThread.start("graceful-report") {
      writeAll(text, to: descriptor)
      var done: UInt8 = 0
      _ = cgs_write(writer, &done, 1)
    }
    var poll = cgs_poll(fd: ends[0], wanted: Int16(CGS_POLL_IN), happened: 0)
    let until = ContinuousClock.now + limit
    var left = milliseconds
    // A negative result is EINTR; the rest of the time is waited for again.
    while left > 0, cgs_poll(&poll, 1, left) < 0 { left = Int32((until - .now) / .milliseconds(1)) }
    // The pipe stays open: the thread may still write to it, and the process is about to end.
  }

  private static func writeAll(_ text: String, to descriptor: Int32) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { cgs_write(descriptor, $0.baseAddress, $0.count) }
      if count > 0 {
        rest = rest.dropFirst(count)
        continue
      }
      // Whoever started us made it non-blocking (EAGAIN), or a signal came (EINTR); anything else is the end of it.
      var poll = cgs_poll(fd: descriptor, wanted: Int16(CGS_POLL_OUT), happened: 0)
      guard cgs_poll(&poll, 1, -1) > 0, poll.happened & Int16(CGS_POLL_ERROR | CGS_POLL_INVALID) == 0 else { return }
    }
  }

  /// Without a descriptor to wait with: only if it looks as if it could be written now.
  private static func writeWhatFits(_ text: String, to descriptor: Int32) {
    var poll = cgs_poll(fd: descriptor, wanted: Int16(CGS_POLL_OUT), happened: 0)
    guard cgs_poll(&poll, 1, 0) > 0, poll.happened & Int16(CGS_POLL_OUT) != 0 else { return }
    // PIPE_BUF on Linux: a pipe that is writable takes so much without waiting (pipe(7)).
    let bytes = Array(text.utf8.prefix(4096))
    _ = cgs_write(descriptor, bytes, bytes.count)
  }
}
