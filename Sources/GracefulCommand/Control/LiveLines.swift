internal import CGracefulSystem
internal import GracefulShutdown

/// Lines on a terminal that are written over themselves.
///
/// Nothing is written elsewhere: a log of a thousand trees is of no use.
final class LiveLines {
  private let descriptor: Int32
  let isTerminal: Bool
  private var shown = 0

  /// - Parameter descriptor: standard output or standard error.
  init(on descriptor: Int32) {
    self.descriptor = descriptor
    isTerminal = cgs_is_terminal(descriptor) == 1
  }

  func show(_ lines: [String]) {
    guard isTerminal else { return }
    let (most, columns) = size
    var visible = lines.prefix(most).map { TerminalText($0, columns: columns).string }
    // What has scrolled out at the top cannot be written over.
    if lines.count > most, most > 0 { visible[most - 1] = "… and \(lines.count - most + 1) more lines" }
    write(back + visible.map { $0 + "\u{1b}[K\n" }.joined() + "\u{1b}[J")
    shown = visible.count
  }

  /// What is shown, goes.
  func clear() {
    guard isTerminal, shown > 0 else { return }
    write(back + "\u{1b}[J")
    shown = 0
  }

  /// What is shown, stays.
  func keep() { shown = 0 }

  private var back: String { shown > 0 ? "\r\u{1b}[\(shown)A" : "\r" }

  private var size: (lines: Int, columns: Int) {
    var lines: Int32 = 0
    var columns: Int32 = 0
    let result = cgs_terminal_size(descriptor, &lines, &columns)
    guard result >= 0, lines > 0, columns > 0 else { return (23, 79) }
    // The cursor is on the line below, and a full line would make some terminals begin another one.
    return (max(1, Int(lines) - 1), max(10, Int(columns) - 1))
  }

  private func write(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      var done = 0
      while done < bytes.count {
        let count = cgs_write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
        guard count > 0 else { return }
        done += count
      }
    }
  }
}
