/// Reads bytes that a peer has sent, from the front; `nil` as soon as too little is left, so that no peer can make it trap.
///
/// Numbers are in network byte order.
package struct ByteReader {
  private var rest: ArraySlice<UInt8>

  package init(_ bytes: some Sequence<UInt8>) { rest = ArraySlice(Array(bytes)) }

  package var isAtEnd: Bool { rest.isEmpty }

  package mutating func number<Number: FixedWidthInteger & UnsignedInteger>(_: Number.Type = Number.self) -> Number? {
    guard let bytes = bytes(MemoryLayout<Number>.size) else { return nil }
    return bytes.reduce(0) { Number(truncatingIfNeeded: UInt64($0) << 8 | UInt64($1)) }
  }

  package mutating func bytes(_ count: Int) -> ArraySlice<UInt8>? {
    guard count >= 0, rest.count >= count else { return nil }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }

  /// A length of two bytes, and so many bytes of UTF-8.
  package mutating func text() -> String? {
    guard let length = number(UInt16.self), let bytes = bytes(Int(length)) else { return nil }
    return String(validating: bytes, as: UTF8.self)
  }
}

extension [UInt8] {
  /// In network byte order.
  package mutating func appendNumber(_ number: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
  }

  /// A length of two bytes, and the text in UTF-8, cut to a limit at the border of a character.
  package mutating func appendText(_ text: String, atMost limit: Int) {
    let bytes = text.bytes(atMost: Swift.min(limit, Int(UInt16.max)))
    appendNumber(UInt16(bytes.count))
    append(contentsOf: bytes)
  }
}

extension String {
  /// The text in UTF-8, cut to a limit at the border of a character.
  package func bytes(atMost limit: Int) -> [UInt8] {
    var bytes = Array(utf8.prefix(limit))
    while String(validating: bytes, as: UTF8.self) == nil { bytes.removeLast() }
    return bytes
  }
}
