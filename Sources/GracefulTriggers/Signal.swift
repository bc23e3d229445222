internal import CGracefulSystem

/// A signal, by its number on this system (signal(7)).
public struct Signal: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// The number.
  public let rawValue: Int32

  /// The signal of this number, whether there is one or not.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// The signal of this name, with or without `SIG`: `TERM`, `SIGHUP`, `USR2`.
  ///
  /// `nil` when no such name is known.
  public init?(name: String) {
    let number = cgs_signal_number(name.hasPrefix("SIG") ? String(name.dropFirst(3)) : name)
    guard number > 0 else { return nil }
    rawValue = number
  }

  /// SIGTERM: stop, asked for by a supervisor.
  public static var terminate: Self { named("TERM") }
  /// SIGINT: stop, asked for at the keyboard (^C).
  public static var interrupt: Self { named("INT") }
  /// SIGHUP: by custom, read the configuration again or restart.
  public static var hangup: Self { named("HUP") }
  /// SIGQUIT.
  public static var quit: Self { named("QUIT") }
  /// SIGUSR1.
  public static var user1: Self { named("USR1") }
  /// SIGUSR2.
  public static var user2: Self { named("USR2") }
  /// SIGCHLD: a child process has ended.
  public static var child: Self { named("CHLD") }
  /// SIGCONT.
  public static var resume: Self { named("CONT") }
  /// SIGWINCH: the terminal has another size.
  public static var windowChange: Self { named("WINCH") }

  /// `SIGTERM`; a signal without a known name is `signal 42`.
  public var description: String {
    Self.names.first { cgs_signal_number($0) == rawValue }.map { "SIG\($0)" } ?? "signal \(rawValue)"
  }

  /// The table is C's, because the numbers differ between systems.
  private static func named(_ name: String) -> Self { Self(rawValue: cgs_signal_number(name)) }

  private static let names = [
    "HUP", "INT", "QUIT", "KILL", "TERM", "USR1", "USR2", "CHLD", "CONT", "STOP", "TSTP", "PIPE", "ALRM", "WINCH",
    "SEGV", "BUS", "FPE", "ILL",
  ]

  /// Why it cannot be listened for, if so.
  var refusal: SignalError.Reason? {
    switch description {
    case "SIGKILL", "SIGSTOP": .cannotBeCaught
    // A handler that returns from one of these returns to the instruction that raised it, for ever (sigaction(2)).
    case "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL": .faultOfTheProgram
    default: rawValue < 1 || rawValue > 64 ? .noSuchSignal : nil
    }
  }
}
