/// A JSON value whose keys keep their order (RFC 8259).
enum JSONText {
  case null
  case integer(Int)
  case number(Double)
  case string(String)
  case array([JSONText])
  case object([(String, JSONText)])

  static func integer(_ value: Int32?) -> JSONText { value.map { .integer(Int($0)) } ?? .null }
  static func milliseconds(_ value: Double?) -> JSONText { value.map { .number($0) } ?? .null }

  func write(into text: inout String) {
    switch self {
    case .null: text += "null"
    case .integer(let value): text += String(value)
    // Three digits after the point are microseconds; JSON has no infinity and no NaN.
    case .number(let value): text += value.isFinite ? Self.rounded(value) : "null"
    case .string(let value): Self.quote(value, into: &text)
    case .array(let values):
      text += "["
      for (index, value) in values.enumerated() {
        if index > 0 { text += "," }
        value.write(into: &text)
      }
      text += "]"
    case .object(let members):
      text += "{"
      for (index, member) in members.enumerated() {
        if index > 0 { text += "," }
        Self.quote(member.0, into: &text)
        text += ":"
        member.1.write(into: &text)
      }
      text += "}"
    }
  }

  private static func rounded(_ value: Double) -> String {
    let thousandths = (value * 1000).rounded()
    guard thousandths.magnitude < 1e15 else { return "null" }
    let text = String(thousandths / 1000)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  private static func quote(_ value: String, into text: inout String) {
    text += "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}
