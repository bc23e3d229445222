internal import GracefulShutdown
internal import GracefulSystem
internal import GracefulTriggers

/// What the command is to do: none of it is needed.
struct StopArguments {
  var files = StopFiles()
  var timeout = Duration.seconds(30)
  var warnings: [String] = []

  enum Reading {
    case arguments(StopArguments)
    case help
    case mistake(String)
  }

  static let variable = "STOP_TIMEOUT_SECONDS"
  /// More than ten years is ten years.
  private static var longest: Duration { .seconds(3650 * 86_400) }

  static func read(_ words: [String], environment: (String) -> String? = EnvironmentVariables.value(of:)) -> Reading {
    var arguments = StopArguments()
    arguments.readVariable(environment(variable))
    var words = words[...]
    while let word = words.popFirst() {
      let (name, joined) = split(word)
      switch name {
      case "-h", "--help": return .help
      case "--directory", "--timeout", "--request-file", "--answer-file":
        guard let value = joined ?? words.popFirst() else { return .mistake("\(name) needs a value") }
        if let mistake = arguments.take(value, for: name) { return .mistake(mistake) }
      default: return .mistake("\(TerminalText.line(of: word, columns: 100)): there is no such option")
      }
    }
    return .arguments(arguments)
  }

  private static func split(_ word: String) -> (name: String, value: String?) {
    guard word.hasPrefix("--"), let sign = word.firstIndex(of: "=") else { return (word, nil) }
    return (String(word[..<sign]), String(word[word.index(after: sign)...]))
  }

  private mutating func take(_ value: String, for name: String) -> String? {
    switch name {
    case "--directory": files.directory = value
    case "--request-file": files.request = value
    case "--answer-file": files.answer = value
    default:
      guard let seconds = SecondsVariable.parse(value), seconds > .zero else {
        return "--timeout must be a number of seconds above zero, as 30 or 2.5, not \(shown(value))"
      }
      timeout = min(seconds, Self.longest)
      warnings = []
    }
    return nil
  }

  /// A command that stops something in a hook does not refuse to because of a mistyped time: as the ancestor's, it waits
  /// 30 s then, but says so.
  private mutating func readVariable(_ text: String?) {
    guard let text, !text.isEmpty else { return }
    guard let seconds = SecondsVariable.parse(text) else {
      warnings = ["\(Self.variable) is \(shown(text)), no number of seconds (as 30 or 2.5); it waits 30 s"]
      return
    }
    guard seconds > .zero else {
      warnings = ["\(Self.variable) is \(shown(text)), which is not more than zero; it waits 30 s"]
      return
    }
    if seconds > Self.longest { warnings = ["\(Self.variable) is more than ten years; it waits ten years"] }
    timeout = min(seconds, Self.longest)
  }

  private func shown(_ text: String) -> String { "\"\(TerminalText.line(of: text, columns: 60))\"" }
}

extension StopArguments {
  static let usage = """
    usage: stop [--timeout SECONDS] [--directory DIR] [--request-file NAME] [--answer-file NAME]

    """

  static let help =
    usage + """

      Asks a program to stop by a file, and waits until it has stopped.

        --timeout SECONDS     how long to wait: 30, or what STOP_TIMEOUT_SECONDS says
        --directory DIR       where the files are: $TMPDIR, or /tmp
        --request-file NAME   the file that asks: process.stop
        --answer-file NAME    the file that says that it has stopped: process.stopped

      It succeeds when the answer is there and, when the answer says which process gave it, that process has ended. When the
      time is over, a request that nobody has taken is taken back.

      Exit codes: 0 stopped; 1 not in time, or nobody listens; 69 there is no such directory; 77 not allowed;
      64 usage; 74 the system refused (a full disk); 128+n ended by signal n.

      """
}
