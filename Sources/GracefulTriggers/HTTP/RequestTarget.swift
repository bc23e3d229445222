/// What a request line asks for: a path and a query (RFC 9112 §3.2), compared byte for byte.
struct RequestTarget: Sendable {
  var path: String
  /// What the query says; `nil` when it is none (`a=1&b=%2`).
  var query: [(name: String, value: String)]?

  /// - Returns: `nil` for what is no path, as `*` and the host of a CONNECT.
  init?(_ text: String) {
    var rest = text[...]
    // The absolute form, which a client sends to a proxy, and a server must understand (§3.2.2).
    if !rest.hasPrefix("/"), let scheme = Self.end(ofSchemeIn: rest) {
      rest = rest[scheme...]
      rest = rest[(rest.utf8.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex)...]
      if rest.first != "/" { rest = "/" + rest }
    }
    guard rest.utf8.first == UInt8(ascii: "/") else { return nil }
    guard let mark = rest.utf8.firstIndex(of: UInt8(ascii: "?")) else {
      path = String(rest)
      query = []
      return
    }
    path = String(rest[..<mark])
    query = Self.parameters(rest[rest.utf8.index(after: mark)...])
  }

  private static func end(ofSchemeIn text: Substring) -> Substring.Index? {
    for scheme in ["http://", "https://"] where text.prefix(scheme.count).lowercased() == scheme {
      return text.index(text.startIndex, offsetBy: scheme.count)
    }
    return nil
  }

  private static func parameters(_ text: Substring) -> [(name: String, value: String)]? {
    var parameters: [(name: String, value: String)] = []
    for part in text.utf8.split(separator: UInt8(ascii: "&")) {
      let equals = part.firstIndex(of: UInt8(ascii: "="))
      let value = equals.map { part[part.index(after: $0)...] } ?? part[part.endIndex...]
      guard let name = decoded(part[..<(equals ?? part.endIndex)]), let value = decoded(value) else { return nil }
      parameters.append((name, value))
    }
    return parameters
  }

  /// Percent-encoding (RFC 3986 §2.1), and the plus that forms write for a blank.
  private static func decoded(_ text: Substring.UTF8View.SubSequence) -> String? {
    var bytes: [UInt8] = []
    var rest = text
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "+"): bytes.append(0x20)
      case UInt8(ascii: "%"):
        guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else { return nil }
        bytes.append(high << 4 | low)
      default: bytes.append(byte)
      }
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
