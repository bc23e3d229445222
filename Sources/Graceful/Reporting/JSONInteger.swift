#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// A whole number.
///
/// The decoder says of one that is too large, or not whole, that the text is no JSON; we say which one it is.
struct JSONInteger<Number: FixedWidthInteger & Codable>: Codable {
  let number: Number

  init(_ number: Number) { self.number = number }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(number)
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let digits = try container.decode(Decimal.self).description
    guard let number = Number(digits) else {
      let reason = "\(digits) is no whole number from \(Number.min) to \(Number.max)"
      throw DecodingError.dataCorruptedError(in: container, debugDescription: reason)
    }
    self.number = number
  }
}

/// How many: never less than none.
struct JSONCount: Codable {
  let number: Int

  init(_ number: Int) { self.number = number }

  func encode(to encoder: any Encoder) throws { try JSONInteger(number).encode(to: encoder) }

  init(from decoder: any Decoder) throws {
    number = try JSONInteger<Int>(from: decoder).number
    if number < 0 {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "fewer than none"))
    }
  }
}
