/// The command line, parsed by hand: this program shares nothing with the program that it checks.
struct Options {
  var host = "127.0.0.1"
  var port = 0
  /// A fault and its N: it is done to every Nth request over all connections.
  var every: [Fault: Int] = [:]
  var delayMilliseconds: Int64 = 6000
  var tallyPath: String?
  /// Requests whose id begins so are answered and neither counted nor harmed: those that belong to no load.
  var spared: String?

  struct UsageError: Error {
    var message: String
  }

  init(_ arguments: [String]) throws(UsageError) {
    var rest = arguments[...]
    while let option = rest.popFirst() {
      guard let value = rest.popFirst() else { throw UsageError(message: "\(option) needs a value") }
      if let fault = Fault.allCases.first(where: { $0.option == option }) {
        guard let number = Int(value), number > 0 else {
          throw UsageError(message: "\(option) \(value): a number of requests, at least 1, is needed")
        }
        every[fault] = number
        continue
      }
      switch option {
      case "--listen": (host, port) = try Self.address(value)
      case "--delay": delayMilliseconds = try Self.milliseconds(value)
      case "--tally": tallyPath = value
      case "--spare": spared = value
      default: throw UsageError(message: "unknown option \(option)")
      }
    }
  }

  private static func address(_ text: String) throws(UsageError) -> (String, Int) {
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
      (0...65535).contains(port)
    else { throw UsageError(message: "--listen \(text): HOST:PORT is needed") }
    return (String(text[..<colon].filter { $0 != "[" && $0 != "]" }), port)
  }

  private static func milliseconds(_ text: String) throws(UsageError) -> Int64 {
    if text.hasSuffix("ms"), let number = Int64(text.dropLast(2)), number >= 0 { return number }
    if text.hasSuffix("s"), let number = Int64(text.dropLast()), (0...86_400).contains(number) { return number * 1000 }
    throw UsageError(message: "--delay \(text): a time such as 6s or 500ms is needed")
  }
}
