/// Tells a signal that repeats another by accident from a signal that is meant.
///
/// A program that passes a signal on often does so twice: timeout(1) sends it to its child and then to the group that the child is
/// in; a shell's child gets ^C from the terminal and from the program that forwards it. The program then has it twice within
/// microseconds, or within milliseconds on a busy machine, and S8 would take the second one for the wish of a person who does
/// not want to wait.
package struct SignalEchoes: Sendable {
  package typealias Instant = ContinuousClock.Instant

  /// No key is pressed twice in so short a time: ten times faster than a person, and shorter than a key repeats.
  package static let window = Duration.milliseconds(20)

  /// When each came that counted: an echo does not make the window longer.
  private var counted: [Signal: Instant] = [:]

  package init() {}

  /// Whether it is one with the signal before it; otherwise it counts.
  package mutating func isEcho(_ signal: Signal, at now: Instant) -> Bool {
    if let before = counted[signal], now - before < Self.window { return true }
    counted[signal] = now
    return false
  }
}
