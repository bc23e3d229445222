internal import CGracefulSystem
internal import GracefulDescriptors
internal import SystemPackage

/// Waits for descriptors, on the thread that calls it: a command has nothing else to do.
enum Waiting {
  typealias Instant = ContinuousClock.Instant

  /// - Returns: which of them have something to be read, or have ended; none when the instant has come.
  static func readable(_ descriptors: [Int32], until deadline: Instant) -> Set<Int32> {
    while true {
      var polls = descriptors.map { cgs_poll(fd: $0, wanted: Int16(CGS_POLL_IN), happened: 0) }
      let count = cgs_poll(&polls, polls.count, milliseconds(until: deadline))
      if count > 0 { return Set(polls.filter { $0.happened != 0 }.map(\.fd)) }
      // EINTR is one more look.
      if ContinuousClock.now >= deadline { return [] }
    }
  }

  /// A moment, or less when the instant comes before.
  static func pause(_ moment: Duration, until deadline: Instant) {
    let end = min(ContinuousClock.now + moment, deadline)
    while ContinuousClock.now < end { _ = cgs_poll(nil, 0, milliseconds(until: end)) }
  }

  private static func milliseconds(until instant: Instant) -> Int32 {
    let left = instant - .now
    guard left > .zero else { return 0 }
    return Int32(min(left / .milliseconds(1), 60_000)) + 1
  }
}

/// A process that is waited for: that one, never another that has its number afterwards (pidfd_open(2)).
struct WatchedProcess: Sendable {
  let number: Int32
  private let pidfd: SharedDescriptor?

  /// For polling; `nil` where the system gives none.
  var descriptor: Int32? { pidfd?.number }

  /// - Parameter pidfd: `nil` when it is not known by more than its number.
  init(_ number: Int32, pidfd: SharedDescriptor?) {
    self.number = number
    self.pidfd = pidfd
  }

  /// - Throws: When there is no such process.
  init(_ number: Int32) throws(SystemError) {
    let descriptor = cgs_pidfd_open(number)
    guard descriptor >= 0 else { throw SystemError("pidfd_open", on: "process \(number)", result: descriptor) }
    self.init(number, pidfd: SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: descriptor))))
  }

  /// - Returns: whether it has ended by then; `nil` when that cannot be known.
  func hasEnded(by deadline: Waiting.Instant) -> Bool? {
    descriptor.map { !Waiting.readable([$0], until: deadline).isEmpty }
  }

  /// - Throws: `ESRCH` when it has ended, `EPERM` when it is another user's.
  func signal(_ signal: Int32) throws(SystemError) {
    let result = cgs_pidfd_signal(descriptor ?? -1, signal)
    guard result >= 0 else { throw SystemError("pidfd_send_signal", on: "process \(number)", result: result) }
  }
}
