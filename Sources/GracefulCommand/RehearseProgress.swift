internal import CGracefulSystem
internal import GracefulRehearsal
internal import Synchronization

/// The progress line: on a terminal it is written over itself, elsewhere there is none.
final class RehearseProgress: Sendable {
  private static let descriptor: CInt = 2
  private let isTerminal = cgs_is_terminal(RehearseProgress.descriptor) == 1
  private let last = Mutex<RehearsalProgress?>(nil)

  func show(_ progress: RehearsalProgress) {
    guard isTerminal else { return }
    // A rate over a few milliseconds is noise: between two lines there are at least 200 ms.
    let (due, before) = last.withLock { last -> (Bool, RehearsalProgress?) in
      if let last, progress.elapsed - last.elapsed < .milliseconds(200) { return (false, last) }
      defer { last = progress }
      return (true, last)
    }
    if due { write("\r\u{1b}[K" + Self.line(progress, after: before)) }
  }

  func clear() {
    if isTerminal { write("\r\u{1b}[K") }
  }

  static func line(_ progress: RehearsalProgress, after before: RehearsalProgress?) -> String {
    let seconds = progress.elapsed / .seconds(1)
    let passed = seconds - (before.map { $0.elapsed / .seconds(1) } ?? 0)
    let rate = passed > 0.01 ? Double(progress.requests - (before?.requests ?? 0)) / passed : 0
    return
      "\(Int(seconds)) s  \(progress.areStops ? "stops" : "restarts") \(progress.restartsDone)/\(progress.restarts)  "
      + "\(Int(rate)) requests/s  failures \(progress.failures)"
  }

  private func write(_ text: String) {
    var text = text
    text.withUTF8 { bytes in _ = cgs_write(Self.descriptor, bytes.baseAddress, bytes.count) }
  }
}
