internal import CGracefulSystem

/// How long poll(2) is to wait.
package enum PollTimeout {
  /// In milliseconds, rounded up so that the caller does not spin before the instant; about eleven days at the most.
  package static func milliseconds(_ left: Duration) -> Int32 {
    guard left > .zero else { return 0 }
    // Before it is taken apart: more seconds than an Int64 holds would trap.
    guard left < .seconds(1_000_000) else { return 1_000_000_000 }
    let (seconds, attoseconds) = left.components
    return Int32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }

  /// Blocks the calling thread for that time, or until a signal comes.
  package static func pause(_ time: Duration) { _ = cgs_poll(nil, 0, milliseconds(time)) }
}
