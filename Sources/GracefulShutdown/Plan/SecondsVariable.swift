/// An environment variable that holds a number of seconds.
///
/// Digits, with a decimal point among them or not: `30`, `2.5`. Empty is as if it was not set. Anything else, zero or less,
/// and more than ten years (3,650 days) is a mistake: it asks for something that would not be done, and the operator learns it
/// when the program starts, not when it is killed.
package enum SecondsVariable: String, Hashable, Sendable {
  /// Takes the place of the grace that the program was written with.
  case grace = "GRACEFUL_GRACE_SECONDS"
  /// After how long the platform kills a program that was asked to stop.
  case platformGrace = "GRACEFUL_PLATFORM_GRACE_SECONDS"
  /// Takes the place of the lame-duck time; zero is none, and no mistake.
  case lameDuck = "GRACEFUL_LAME_DUCK_SECONDS"

  private static var tenYears: Duration { .seconds(3650 * 86_400) }

  /// - Returns: `nil` when it is not set, or empty.
  package func read(_ environment: (String) -> String?) throws(ConfigurationMistake) -> Duration? {
    guard let text = environment(rawValue), !text.isEmpty else { return nil }
    guard let duration = Self.parse(text) else { throw mistake(text, "it must be a number of seconds, as 30 or 2.5") }
    if self == .lameDuck {
      guard duration >= .zero else { throw mistake(text, "it must be zero, for none, or more") }
    } else {
      guard duration > .zero else { throw mistake(text, "it must be more than zero") }
    }
    guard duration <= Self.tenYears else { throw mistake(text, "it must not be more than ten years (315360000)") }
    return duration
  }

  private func mistake(_ value: String, _ reason: String) -> ConfigurationMistake {
    ConfigurationMistake(kind: .environment(variable: rawValue, value: value, reason: reason))
  }

  /// Without a Double, which would take `inf`, `nan` and `0x1p3` for numbers, and is none too exact.
  package static func parse(_ text: String) -> Duration? {
    let isNegative = text.hasPrefix("-")
    let parts = text.utf8.dropFirst(isNegative ? 1 : 0)
      .split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.allSatisfy({ $0.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } }),
      parts.contains(where: { !$0.isEmpty })
    else { return nil }
    // Of more digits than that it is enough to know that it is too long, and how much too short.
    let whole = parts[0].drop { $0 == UInt8(ascii: "0") }
    let seconds = whole.count > 12 ? 1_000_000_000_000 : number(whole)
    let fraction = parts.dropFirst().first?.prefix(18) ?? "".utf8[...]
    let attoseconds = (fraction.count..<18).reduce(number(fraction)) { value, _ in value * 10 }
    let duration = Duration(secondsComponent: seconds, attosecondsComponent: attoseconds)
    return isNegative ? .zero - duration : duration
  }

  private static func number(_ digits: Substring.UTF8View) -> Int64 {
    digits.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
  }
}
