#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// A duration as a number of seconds, to the last digit: a decimal, where a binary number would not give back what it was
/// given.
struct JSONSeconds: Hashable, Codable {
  let duration: Duration

  init(_ duration: Duration) {
    // Beyond that, `components` traps.
    self.duration = max(min(duration, .seconds(Int64.max)), .seconds(-Int64.max))
  }

  func encode(to encoder: any Encoder) throws {
    let (seconds, attoseconds) = duration.components
    var container = encoder.singleValueContainer()
    if let binary = Self.binary(seconds, attoseconds) { return try container.encode(binary) }
    try container.encode(
      Decimal(seconds) + Decimal(sign: .plus, exponent: -18, significand: 1) * Decimal(attoseconds))
  }

  /// Twenty times faster, which is felt in a report of ten thousand phases that is written on the way out.
  ///
  /// Of up to 15 digits a Double gives back every one (`DBL_DIG`, IEEE 754); below a tenth of a millisecond it would be
  /// written with an exponent.
  private static func binary(_ seconds: Int64, _ attoseconds: Int64) -> Double? {
    guard seconds.magnitude < 1_000_000, attoseconds % 1_000_000_000 == 0 else { return nil }
    let nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    guard nanoseconds == 0 || nanoseconds.magnitude >= 100_000 else { return nil }
    return Double(nanoseconds) / 1_000_000_000
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let decimal = try container.decode(Decimal.self)
    guard let duration = Duration(digits: decimal.description) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "no time that a program can run")
    }
    self.duration = duration
  }
}

/// How much time has passed: never less than none.
struct JSONElapsed: Hashable, Codable {
  let duration: Duration

  init(_ duration: Duration) { self.duration = duration }

  func encode(to encoder: any Encoder) throws { try JSONSeconds(duration).encode(to: encoder) }

  init(from decoder: any Decoder) throws {
    duration = try JSONSeconds(from: decoder).duration
    if duration < .zero {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "less than no time"))
    }
  }
}

extension Duration {
  /// - Parameter digits: `-12.5`. What is smaller than an attosecond is dropped; `nil` when the seconds are no Int64.
  fileprivate init?(digits: String) {
    let isNegative = digits.hasPrefix("-")
    let parts = digits.drop { $0 == "-" }.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let fraction = parts.count > 1 ? parts[1].prefix(18) : ""
    let padded = fraction + String(repeating: "0", count: 18 - fraction.count)
    guard let first = parts.first, let seconds = Int64(first), let attoseconds = Int64(padded) else { return nil }
    self = .init(secondsComponent: seconds, attosecondsComponent: attoseconds)
    if isNegative { self = .zero - self }
  }
}
