/// What is in a frame of the control socket: numbers in network byte order, texts with a length of two bytes.
struct ControlBytes {
  private(set) var all: [UInt8] = []

  mutating func add(_ number: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: number.bigEndian) { all.append(contentsOf: $0) }
  }

  /// Cut to 1024 bytes, at the border of a character.
  mutating func add(_ text: String) {
    var bytes = Array(text.utf8.prefix(1024))
    while String(validating: bytes, as: UTF8.self) == nil { bytes.removeLast() }
    add(UInt16(bytes.count))
    all += bytes
  }

  /// In milliseconds; 0 is never.
  mutating func add(_ interval: Duration?) {
    let milliseconds = interval.map { max(1, min($0 / .milliseconds(1), Double(UInt32.max))) } ?? 0
    add(UInt32(milliseconds))
  }
}

/// Reads from the front; nil as soon as too little is left, so that no peer can make it trap.
struct ControlBytesReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func number<Number: FixedWidthInteger & UnsignedInteger>(_: Number.Type) -> Number? {
    let size = MemoryLayout<Number>.size
    guard rest.count >= size else { return nil }
    defer { rest = rest.dropFirst(size) }
    return rest.prefix(size).reduce(0) { size == 1 ? Number($1) : $0 << 8 | Number($1) }
  }

  mutating func text() -> String? {
    guard let length = number(UInt16.self), rest.count >= Int(length) else { return nil }
    defer { rest = rest.dropFirst(Int(length)) }
    return String(validating: rest.prefix(Int(length)), as: UTF8.self)
  }

  /// `.some(nil)` is never.
  mutating func interval() -> Duration?? {
    guard let milliseconds = number(UInt32.self) else { return nil }
    return .some(milliseconds == 0 ? nil : .milliseconds(Int64(milliseconds)))
  }
}
