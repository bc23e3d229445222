internal import CGracefulSystem

/// How a process ended (wait(2)).
public enum ExitStatus: Hashable, Sendable, CustomStringConvertible {
  /// It returned or called `exit` with this code, 0 to 255.
  case exited(Int32)
  /// A signal with this number ended it.
  case signaled(Int32)

  /// It ended, but other code of this program has taken its status.
  ///
  /// No signal has the number 0.
  public static let lost = ExitStatus.signaled(0)

  /// What a shell would show in `$?`: the code, or 128 and the number of the signal.
  public var shellCode: Int32 {
    switch self {
    case .exited(let code): code
    case .signaled(let number): 128 + number
    }
  }

  /// Whether it ended with code 0.
  public var isSuccess: Bool { self == .exited(0) }

  /// In words.
  public var description: String {
    switch self {
    case .exited(let code): "exited with code \(code)"
    case .lost: "ended, nobody knows how: its status was taken elsewhere"
    case .signaled(let number): "was ended by signal \(number)"
    }
  }

  init(_ how: cgs_exit) {
    self = how.signaled == 1 ? .signaled(how.code) : .exited(how.code)
  }
}
