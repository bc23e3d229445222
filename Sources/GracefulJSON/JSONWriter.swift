/// Writes a JSON value as text.
struct JSONWriter {
  private let style: JSONStyle
  private var bytes: [UInt8] = []
  private var depth = 0

  init(_ style: JSONStyle) { self.style = style }

  /// Everything that was written; of a document, with its line break.
  var text: String { String(decoding: bytes, as: UTF8.self) + (style.isPretty ? "\n" : "") }

  mutating func write(_ value: JSONValue) {
    switch value {
    case .null: put("null")
    case .bool(let value): put(value ? "true" : "false")
    case .number(let number): put(number.description)
    case .string(let text): quote(text)
    case .array(let values):
      put("[")
      depth += 1
      for (index, value) in values.enumerated() {
        if index > 0 { put(",") }
        breakLine()
        write(value)
      }
      end("]", isEmpty: values.isEmpty)
    case .object(let members):
      put("{")
      depth += 1
      for (index, member) in (style.isPretty ? members.sorted { $0.key < $1.key } : members).enumerated() {
        if index > 0 { put(",") }
        breakLine()
        quote(member.key)
        put(style.isPretty ? " : " : ":")
        write(member.value)
      }
      end("}", isEmpty: members.isEmpty)
    }
  }

  private mutating func put(_ text: String) { bytes.append(contentsOf: text.utf8) }

  private mutating func end(_ bracket: String, isEmpty: Bool) {
    // An empty line between the brackets, as Foundation's encoder writes it: the reports of earlier versions look so.
    if isEmpty, style.isPretty { put("\n") }
    depth -= 1
    breakLine()
    put(bracket)
  }

  private mutating func breakLine() {
    guard style.isPretty else { return }
    put("\n")
    for _ in 0..<depth { put("  ") }
  }

  private mutating func quote(_ text: String) {
    put("\"")
    if text.utf8.allSatisfy(isPlain) {
      put(text)
    } else if style.isASCII {
      for unit in text.utf16 {
        if unit < 0x80, isPlain(UInt8(unit)) { bytes.append(UInt8(unit)) } else { escape(unit) }
      }
    } else {
      for byte in text.utf8 { if isPlain(byte) { bytes.append(byte) } else { escape(UInt16(byte)) } }
    }
    put("\"")
  }

  private func isPlain(_ byte: UInt8) -> Bool {
    byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") && !(style.isASCII && byte > 0x7E)
  }

  private mutating func escape(_ unit: UInt16) {
    switch unit {
    case 0x22: put("\\\"")
    case 0x5C: put("\\\\")
    case 0x08 where !style.isASCII: put("\\b")
    case 0x09 where !style.isASCII: put("\\t")
    case 0x0A where !style.isASCII: put("\\n")
    case 0x0C where !style.isASCII: put("\\f")
    case 0x0D where !style.isASCII: put("\\r")
    default:
      let digits = String(unit, radix: 16)
      put("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
    }
  }
}
