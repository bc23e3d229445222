/// Numbers in network byte order, in and out of bytes that a peer has sent.
extension [UInt8] {
  mutating func appendNumber(_ number: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
  }
}

/// Reads from the front; nil as soon as too little is left, so that no peer can make it trap.
struct ByteReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: some Sequence<UInt8>) { rest = ArraySlice(Array(bytes)) }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func number<Number: FixedWidthInteger & UnsignedInteger>(_: Number.Type = Number.self) -> Number? {
    guard let bytes = bytes(MemoryLayout<Number>.size) else { return nil }
    return bytes.reduce(0) { $0 << 8 | Number($1) }
  }

  mutating func bytes(_ count: Int) -> ArraySlice<UInt8>? {
    guard count >= 0, rest.count >= count else { return nil }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }

  /// A length of two bytes, and so many bytes of UTF-8.
  mutating func text() -> String? {
    guard let length = number(UInt16.self), let bytes = bytes(Int(length)) else { return nil }
    return String(validating: bytes, as: UTF8.self)
  }
}

extension String {
  /// The text in UTF-8, cut to a limit at the border of a character.
  func bytes(atMost limit: Int) -> [UInt8] {
    var bytes = Array(utf8.prefix(limit))
    while String(validating: bytes, as: UTF8.self) == nil { bytes.removeLast() }
    return bytes
  }
}
