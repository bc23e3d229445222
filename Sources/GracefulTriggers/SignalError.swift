internal import GracefulSystem
public import SystemPackage

/// A signal that cannot be listened for.
public struct SignalError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Why not.
  ///
  /// More will come, so it is compared, not switched over.
  public struct Reason: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
      case cannotBeCaught
      case faultOfTheProgram
      case noSuchSignal
      case noSignals
      case system(operation: String, Errno)
    }

    let kind: Kind

    /// SIGKILL and SIGSTOP never reach a program (signal(7)).
    public static var cannotBeCaught: Self { Self(kind: .cannotBeCaught) }
    /// SIGSEGV, SIGBUS, SIGFPE and SIGILL are mistakes of the program; nothing can go on after one.
    public static var faultOfTheProgram: Self { Self(kind: .faultOfTheProgram) }
    /// The number is not a signal's.
    public static var noSuchSignal: Self { Self(kind: .noSuchSignal) }
    /// No signal at all was named: nothing would ever be heard.
    public static var noSignals: Self { Self(kind: .noSignals) }
    /// The system refused: no descriptor or no thread is left, or it keeps the signal for itself.
    public static func system(_ operation: String, _ errno: Errno) -> Self {
      Self(kind: .system(operation: operation, errno))
    }
  }

  /// Which signal; number 0 when none was named.
  public let signal: Signal
  /// Why not.
  public let reason: Reason

  /// Makes an error.
  public init(signal: Signal, reason: Reason) {
    self.signal = signal
    self.reason = reason
  }

  init(_ signals: Set<Signal>, _ error: SystemError) {
    self.init(signal: signals.first ?? .terminate, reason: .system(error.operation, error.errno))
  }

  /// What was tried, why it failed, what to do.
  public var description: String {
    let start = "cannot listen for \(signal): "
    switch reason.kind {
    case .cannotBeCaught: return start + "it never reaches a program; listen for SIGTERM"
    case .faultOfTheProgram: return start + "it is a fault of the program, after which nothing can go on"
    case .noSignals: return "cannot listen for no signal at all; name one, such as SIGTERM"
    case .noSuchSignal: return start + "signals have numbers from 1 to 64"
    case .system(let operation, let errno): return start + "\(operation) failed: \(errno)"
    }
  }
}
