internal import GracefulSystem

/// What is in a frame of the control socket: numbers in network byte order, texts with a length of two bytes.
struct ControlBytes {
  private(set) var all: [UInt8] = []

  mutating func add(_ number: some FixedWidthInteger) { all.appendNumber(number) }

  /// Cut to 1024 bytes, at the border of a character.
  mutating func add(_ text: String) { all.appendText(text, atMost: 1024) }

  /// In milliseconds; 0 is never.
  mutating func add(_ interval: Duration?) {
    let milliseconds = interval.map { max(1, min($0 / .milliseconds(1), Double(UInt32.max))) } ?? 0
    add(UInt32(milliseconds))
  }
}

extension ByteReader {
  /// `.some(nil)` is never.
  mutating func interval() -> Duration?? {
    guard let milliseconds = number(UInt32.self) else { return nil }
    return .some(milliseconds == 0 ? nil : .milliseconds(Int64(milliseconds)))
  }
}
