/// A duration as a number of seconds, to the last digit.
package struct Seconds: Hashable, Sendable, Codable {
  /// Beyond some 292 thousand million years, `components` traps.
  private static let longest = Duration.seconds(Int64.max)

  package let duration: Duration

  package init(_ duration: Duration) { self.duration = max(min(duration, Self.longest), .zero - Self.longest) }

  /// - Parameter digits: How many behind the point, from 1 to 18; zeros at their end stay. `nil`: as many as there are.
  package func number(digits: Int? = nil) -> DecimalNumber {
    let (seconds, attoseconds) = duration.components
    let sign = seconds < 0 || attoseconds < 0 ? "-" : ""
    if digits == nil, attoseconds == 0 { return DecimalNumber(seconds) }
    let all = String(attoseconds.magnitude)
    var fraction = Substring(String(repeating: "0", count: 18 - all.count) + all)
    if let digits { fraction = fraction.prefix(digits) } else { while fraction.last == "0" { fraction.removeLast() } }
    return DecimalNumber(digits: "\(sign)\(seconds.magnitude).\(fraction)")
  }

  package func encode(to encoder: any Encoder) throws { try number().encode(to: encoder) }

  package init(from decoder: any Decoder) throws {
    guard let duration = Duration(seconds: try DecimalNumber(from: decoder)) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "no time that a program can run"))
    }
    self.duration = duration
  }
}

/// How much time has passed, as a number of seconds: never less than none.
package struct Elapsed: Hashable, Sendable, Codable {
  package let duration: Duration

  package init(_ duration: Duration) { self.duration = duration }

  package func encode(to encoder: any Encoder) throws { try Seconds(duration).encode(to: encoder) }

  package init(from decoder: any Decoder) throws {
    duration = try Seconds(from: decoder).duration
    if duration < .zero {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "less than no time"))
    }
  }
}

/// How many: never less than none.
package struct Count: Hashable, Sendable, Codable {
  package let number: Int

  package init(_ number: Int) { self.number = number }

  package func encode(to encoder: any Encoder) throws { try number.encode(to: encoder) }

  package init(from decoder: any Decoder) throws {
    number = try Int(from: decoder)
    if number < 0 {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "fewer than none"))
    }
  }
}

extension Duration {
  /// What is smaller than an attosecond is dropped; `nil` when the seconds are no Int64.
  fileprivate init?(seconds: DecimalNumber) {
    guard let plain = seconds.plain else { return nil }
    let fraction = plain.fraction.prefix(18)
    let padded = fraction + String(repeating: "0", count: 18 - fraction.count)
    guard let whole = Int64(plain.whole.isEmpty ? "0" : plain.whole), let attoseconds = Int64(padded) else {
      return nil
    }
    self = .init(secondsComponent: whole, attosecondsComponent: attoseconds)
    if !plain.sign.isEmpty { self = .zero - self }
  }
}
