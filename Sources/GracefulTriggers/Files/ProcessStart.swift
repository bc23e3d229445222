internal import CGracefulSystem
internal import GracefulSystem

/// When a process was started.
///
/// From the kernel, in its ticks since boot, of which there are 100 a second: two processes
/// that have the same number one after the other have another start, too.
struct ProcessStart: Hashable, Sendable {
  var ticks: UInt64

  /// - Returns: `nil` when there is no such process, or no /proc.
  init?(of process: Int32, calls: StopFileCalls) {
    guard let ticks = calls.read(ProcessStatus.path(of: process)).flatMap({ ProcessStatus($0)?.started }) else {
      return nil
    }
    self.ticks = ticks
  }

  init(ticks: UInt64) { self.ticks = ticks }

  /// When this process was started, in nanoseconds since 1970, and up to a tick too early: never later than anything that
  /// was meant for it.
  static func wallClock(calls: StopFileCalls) -> Int64? {
    let ticksASecond = cgs_ticks_a_second()
    guard ticksASecond > 0, let start = ProcessStart(of: cgs_process_id(), calls: calls) else { return nil }
    // In this order: a thread that is held up between the two finds the start too early, and never too late.
    let wall = calls.wallClock()
    let boot = cgs_boot_nanoseconds()
    guard boot >= 0 else { return nil }
    // In nanoseconds a day of ticks overflows nothing; an Int64 of them holds 292 years.
    let (nanoseconds, overflows) = Int64(clamping: start.ticks).multipliedReportingOverflow(
      by: 1_000_000_000 / ticksASecond)
    return overflows ? nil : wall - (boot - nanoseconds)
  }
}

/// What is in the file that says that a process has stopped: which one, so that a caller can wait for its end.
///
/// `noamt/stop` leaves it empty, and looks whether it is there. One of another container has another number for the same
/// process: then the start is another one, too.
struct StopFileContent: Hashable, Sendable {
  var process: Int32
  var start: ProcessStart

  var text: String { "\(process) \(start.ticks)\n" }

  init(process: Int32, start: ProcessStart) {
    self.process = process
    self.start = start
  }

  init?(_ bytes: [UInt8]) {
    let words = bytes.prefix { $0 != UInt8(ascii: "\n") }.split(separator: UInt8(ascii: " "))
    guard words.count == 2, let process = Int32(String(decoding: words[0], as: UTF8.self)), process > 0,
      let ticks = UInt64(String(decoding: words[1], as: UTF8.self))
    else { return nil }
    self.init(process: process, start: ProcessStart(ticks: ticks))
  }
}
