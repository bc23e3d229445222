/// A number as its decimal digits: exact where a `Double` is not.
///
/// In the JSON of this package it is written and read digit by digit. Any other encoder is given the nearest `Double`.
package struct DecimalNumber: Hashable, Sendable, CustomStringConvertible {
  /// As JSON has it (RFC 8259 §6): `-12.5`, `1e3`.
  package let description: String

  /// - Parameter digits: A number as JSON has it; it is not looked at.
  package init(digits: String) { description = digits }

  /// A whole number.
  package init(_ number: some FixedWidthInteger) { description = String(number) }

  /// To three digits after the point; zeros at its end are left out.
  ///
  /// - Returns: `nil` for what is no number, or has more than 15 digits.
  package init?(thousandths number: Double) {
    let thousandths = (number * 1000).rounded()
    guard thousandths.magnitude < 1e15 else { return nil }
    self.init(thousandths / 1000)
  }

  /// The shortest digits that give the number back; `nil` when it is infinite or no number at all.
  package init?(_ number: Double) {
    guard number.isFinite else { return nil }
    let text = number.description
    description = text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  /// `nil` when it is not whole, or too large for the type.
  package func integer<Integer: FixedWidthInteger>(as type: Integer.Type) -> Integer? {
    if let integer = Integer(description) { return integer }
    guard let plain, plain.fraction.allSatisfy({ $0 == "0" }) else { return nil }
    return Integer(plain.sign + (plain.whole.isEmpty ? "0" : plain.whole))
  }

  /// The nearest one; infinite when the number is too large.
  package var double: Double { Double(description) ?? .infinity }

  /// The digits on both sides of the point, without an exponent.
  ///
  /// `nil` when that would take more than 400 digits.
  package var plain: (sign: String, whole: Substring, fraction: Substring)? {
    let parts = description.split(maxSplits: 1, omittingEmptySubsequences: false) { $0 == "e" || $0 == "E" }
    guard let mantissa = parts.first else { return nil }
    let sign = mantissa.hasPrefix("-") ? "-" : ""
    let sides = mantissa.dropFirst(sign.count).split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let (whole, fraction) = (sides.first ?? "", sides.count > 1 ? sides[1] : "")
    guard parts.count > 1 else { return (sign, whole, fraction) }
    guard let exponent = Int(parts[1]), exponent.magnitude <= 400 else { return nil }
    let zeros = String(repeating: "0", count: Int(exponent.magnitude))
    if exponent >= 0 {
      let digits = fraction + zeros
      return (sign, (whole + digits.prefix(exponent)).withoutLeadingZeros, digits.dropFirst(exponent))
    }
    let digits = zeros + whole
    return (sign, digits.dropLast(zeros.count).withoutLeadingZeros, digits.suffix(zeros.count) + fraction)
  }
}

extension Substring {
  fileprivate var withoutLeadingZeros: Substring { drop { $0 == "0" } }
}

extension DecimalNumber: Codable {
  package func encode(to encoder: any Encoder) throws {
    if let encoder = encoder as? JSONValueEncoder { return encoder.take(self) }
    var container = encoder.singleValueContainer()
    try container.encode(double)
  }

  package init(from decoder: any Decoder) throws {
    if let decoder = decoder as? JSONValueDecoder {
      self = try decoder.number()
      return
    }
    let container = try decoder.singleValueContainer()
    guard let number = Self(try container.decode(Double.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "no finite number")
    }
    self = number
  }
}
