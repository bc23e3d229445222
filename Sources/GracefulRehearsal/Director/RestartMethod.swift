internal import CGracefulSystem

/// How a server is restarted.
public enum RestartMethod: Hashable, Sendable, CustomStringConvertible {
  /// Its command is run again while the old one serves.
  case startAgain
  /// The newest process gets this signal.
  case signal(number: Int32, name: String)
  /// A shell command, with `{pid}` replaced by the newest process.
  case command(String)

  /// Reads `start-again`, `signal:HUP` (also `signal:SIGHUP`), or `command:…`.
  public init?(_ text: String) {
    if text == "start-again" {
      self = .startAgain
    } else if text.hasPrefix("signal:") {
      var name = text.dropFirst(7).uppercased()
      if name.hasPrefix("SIG") { name.removeFirst(3) }
      let number = cgs_signal_number(name)
      guard number > 0 else { return nil }
      self = .signal(number: number, name: name)
    } else if text.hasPrefix("command:"), text.dropFirst(8).contains(where: { !$0.isWhitespace }) {
      self = .command(String(text.dropFirst(8)))
    } else {
      return nil
    }
  }

  /// As it is written.
  public var description: String {
    switch self {
    case .startAgain: "start-again"
    case .signal(_, let name): "signal:\(name)"
    case .command(let text): "command:\(text)"
    }
  }
}

/// What is done to each second successor before it is ready.
public enum RehearsalFault: String, CaseIterable, Hashable, Sendable {
  /// Nothing.
  case none
  /// `SIGKILL`.
  case kill = "kill-before-ready"
  /// `SIGSTOP`.
  case hang = "hang-before-ready"
}
