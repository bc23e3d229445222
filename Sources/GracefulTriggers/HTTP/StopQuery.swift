/// What the query of a request for a stop says: `?wait=30s&why=a+new+version`.
package struct StopQuery: Hashable, Sendable {
  /// `nil` when the answer is wanted at once.
  var wait: Duration?
  var why = ""

  /// What cannot be read, and how it is to be written.
  struct Refusal: Error, Hashable, Sendable {
    var reason: String
  }

  /// The longest time for which an answer is waited for.
  static let longest = Duration.seconds(3600)
  private static let longestReason = 200

  init(_ target: RequestTarget) throws(Refusal) {
    guard let query = target.query else { throw Refusal(reason: "the query cannot be read") }
    var seen: Set<String> = []
    for (name, value) in query {
      guard seen.insert(name).inserted else { throw Refusal(reason: "the query says one thing twice") }
      switch name {
      case "wait":
        guard let limit = Self.duration(value), limit <= Self.longest else {
          throw Refusal(reason: "wait is a time of at most one hour, as 30s, 1.5s, 500ms or 2m")
        }
        wait = limit == .zero ? nil : limit
      case "why":
        guard value.utf8.count <= Self.longestReason else {
          throw Refusal(reason: "why has at most \(Self.longestReason) bytes")
        }
        why = Self.line(of: value)
      default: throw Refusal(reason: "the query may say wait and why, and nothing else")
      }
    }
  }

  /// A reason, which comes into the log and the report, with a space for each thing in it that a terminal obeys: control
  /// characters (those of eight bits, too: U+009B begins a sequence as ESC and `[` do), ends of lines, directions of
  /// writing.
  package static func line(of reason: String) -> String {
    var line = ""
    for scalar in reason.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator: line.unicodeScalars.append(" ")
      // The joiner (U+200D) holds an emoji together.
      case .format where scalar.value != 0x200D: line.unicodeScalars.append(" ")
      default: line.unicodeScalars.append(scalar)
      }
    }
    return line
  }

  /// `30s`, `1.5s`, `500ms`, `2m`; a number alone is seconds.
  static func duration(_ text: String) -> Duration? {
    var digits = text[...]
    var unit: Int64 = 1000
    for (suffix, milliseconds) in [("ms", 1), ("s", 1000), ("m", 60_000)] as [(String, Int64)]
    where digits.hasSuffix(suffix) {
      digits = digits.dropLast(suffix.count)
      unit = milliseconds
      break
    }
    let parts = digits.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    // So short that nothing overflows.
    guard let whole = parts.first, let seconds = number(whole, digits: 1...9) else { return nil }
    guard parts.count > 1 else { return .milliseconds(seconds * unit) }
    guard !parts[1].isEmpty, let fraction = number(parts[1] + "000".dropFirst(parts[1].count), digits: 3...3) else {
      return nil
    }
    return .milliseconds(seconds * unit) + .microseconds(fraction * unit)
  }

  private static func number(_ text: Substring, digits: ClosedRange<Int>) -> Int64? {
    let isNumber = text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    return isNumber && digits.contains(text.utf8.count) ? Int64(text) : nil
  }
}
