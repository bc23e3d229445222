/// What makes a text no JSON, and where.
struct JSONSyntaxError: Error, Hashable, CustomStringConvertible {
  var reason: String
  var line: Int
  var column: Int

  /// `line 3, column 7: a string does not end`.
  var description: String { "line \(line), column \(column): \(reason)" }
}

/// Reads a JSON text (RFC 8259), and nothing that is only like one.
///
/// The text comes from outside. Nothing in it makes the parser trap or recurse without end: values may be 512 deep, and the
/// exponent of a number has at most four digits.
struct JSONParser {
  private static let mostDepth = 512
  private static let mostExponentDigits = 4

  private let bytes: [UInt8]
  private var at = 0
  private var line = 1
  private var lineStart = 0
  private var depth = 0

  static func value(of text: String) throws(JSONSyntaxError) -> JSONValue {
    var parser = JSONParser(bytes: Array(text.utf8))
    let value = try parser.value()
    parser.skipSpace()
    guard parser.next == nil else { throw parser.error("something follows the value") }
    return value
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

  private func error(_ reason: String) -> JSONSyntaxError {
    JSONSyntaxError(reason: reason, line: line, column: at - lineStart + 1)
  }

  private mutating func skipSpace() {
    while at < bytes.count {
      switch bytes[at] {
      case 0x20, 0x0D, 0x09: at += 1
      case 0x0A:
        at += 1
        // Nowhere else may a line end.
        line += 1
        lineStart = at
      default: return
      }
    }
  }

  /// Passes over the byte, if it is the next one.
  private mutating func take(_ byte: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: byte) else { return false }
    at += 1
    return true
  }

  private mutating func value() throws(JSONSyntaxError) -> JSONValue {
    skipSpace()
    switch next {
    case UInt8(ascii: "\""): return .string(try string())
    case .some(0x30...0x39), UInt8(ascii: "-"): return .number(try number())
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "{"): return .object(try members())
    case UInt8(ascii: "["): return .array(try elements())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case nil: throw error("the text ends where a value should be")
    default: throw error("no value begins like this")
    }
  }

  private mutating func word(_ word: String, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
    guard bytes[at...].starts(with: word.utf8) else { throw error("no value begins like this") }
    at += word.utf8.count
    return value
  }

  private mutating func descend() throws(JSONSyntaxError) {
    at += 1
    depth += 1
    if depth > Self.mostDepth { throw error("more than \(Self.mostDepth) values are inside each other") }
  }

  private mutating func elements() throws(JSONSyntaxError) -> [JSONValue] {
    try descend()
    defer { depth -= 1 }
    var elements: [JSONValue] = []
    skipSpace()
    if take("]") { return elements }
    while true {
      elements.append(try value())
      skipSpace()
      if take("]") { return elements }
      guard take(",") else { throw error("an array goes on with a comma, or ends") }
    }
  }

  private mutating func members() throws(JSONSyntaxError) -> [JSONValue.Member] {
    try descend()
    defer { depth -= 1 }
    var members: [JSONValue.Member] = []
    skipSpace()
    if take("}") { return members }
    while true {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw error("a key is a string") }
      let key = try string()
      skipSpace()
      guard take(":") else { throw error("a key is followed by a colon") }
      members.append(JSONValue.Member(key: key, value: try value()))
      skipSpace()
      if take("}") { return members }
      guard take(",") else { throw error("an object goes on with a comma, or ends") }
    }
  }
}

// Numbers.
extension JSONParser {
  private mutating func number() throws(JSONSyntaxError) -> DecimalNumber {
    let start = at
    _ = take("-")
    if !take("0") { try digits() }
    if take(".") { try digits() }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      let exponent = at
      try digits()
      guard at - exponent <= Self.mostExponentDigits else { throw error("the exponent of a number is too large") }
    }
    return DecimalNumber(digits: String(decoding: bytes[start..<at], as: UTF8.self))
  }

  private mutating func digits() throws(JSONSyntaxError) {
    let start = at
    while at < bytes.count, bytes[at] >= 0x30, bytes[at] <= 0x39 { at += 1 }
    if at == start { throw error("a number goes on with a digit") }
  }
}

// Strings.
extension JSONParser {
  private mutating func string() throws(JSONSyntaxError) -> String {
    at += 1
    let start = at
    // Up to a quotation mark, a backslash or a control character.
    while at < bytes.count {
      let byte = bytes[at]
      if byte == 0x22 || byte == 0x5C || byte < 0x20 { break }
      at += 1
    }
    if next == UInt8(ascii: "\"") {
      defer { at += 1 }
      return String(decoding: bytes[start..<at], as: UTF8.self)
    }
    var text = Array(bytes[start..<at])
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        at += 1
        return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"):
        at += 1
        text.append(contentsOf: String(Character(try escaped())).utf8)
      case 0..<0x20: throw error("a string has a control character in it")
      default:
        text.append(byte)
        at += 1
      }
    }
    throw error("a string does not end")
  }

  /// What stands behind a backslash.
  private mutating func escaped() throws(JSONSyntaxError) -> Unicode.Scalar {
    guard let byte = next else { throw error("a string does not end") }
    at += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try scalar()
    default: throw error("no character is escaped like this")
    }
  }

  /// Four digits, or two times four for what lies beyond the first plane (RFC 8259 §7).
  private mutating func scalar() throws(JSONSyntaxError) -> Unicode.Scalar {
    let first = try fourDigits()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard UTF16.isLeadSurrogate(UInt16(first)), take("\\"), take("u") else { throw error("half of a character") }
    let second = try fourDigits()
    guard UTF16.isTrailSurrogate(UInt16(second)),
      let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
    else { throw error("half of a character") }
    return scalar
  }

  private mutating func fourDigits() throws(JSONSyntaxError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw error("four hexadecimal digits follow \\u")
      }
      value = value << 4 | UInt32(digit)
      at += 1
    }
    return value
  }
}
