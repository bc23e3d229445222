/// How a server is asked to stop.
public enum StopMethod: Hashable, Sendable, CustomStringConvertible {
  /// The newest process gets this signal.
  case signal(number: Int32, name: String)
  /// A shell command, with `{pid}` replaced by the newest process; it may wait until the server has ended.
  case command(String)

  /// Reads `signal:TERM` (also `signal:SIGTERM`), or `command:…`.
  public init?(_ text: String) {
    switch RestartMethod(text) {
    case .signal(let number, let name): self = .signal(number: number, name: name)
    case .command(let text): self = .command(text)
    case .startAgain, nil: return nil
    }
  }

  /// As it is written.
  public var description: String {
    switch self {
    case .signal(_, let name): "signal:\(name)"
    case .command(let text): "command:\(text)"
    }
  }
}
