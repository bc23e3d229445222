/// Where one request ends and the bytes behind it begin.
///
/// A parser that is given more than one request swallows the beginning of the next one and gives nothing back. So
/// it cannot be told afterwards whether a connection is idle or in the middle of a request. The cut decides before: it
/// says how many of the bytes at hand may be given to the parser such that a request can end only with the last of
/// them. What lies behind stays whole and counted in the hands of the reader.
///
/// A head, and a chunked body with its trailers, end with an empty line (RFC 9112 §2.1, §7.1): every cut is made
/// behind one. An empty line inside a chunk makes a cut too many, which costs a call and changes nothing. A body with
/// a length is counted.
struct RequestCut: Equatable, Sendable {
  /// How the body of a request is framed (RFC 9112 §6.3).
  enum Framing: Equatable, Sendable {
    case chunked
    case length(Int)
  }

  /// Why the parser and the count disagree; the connection cannot be trusted any more.
  enum Disagreement: Equatable, Sendable {
    /// The parser ended the request before the last counted byte.
    case endedEarly(remaining: Int)
    /// The counted body is complete and the parser waits for more.
    case endedLate
  }

  /// How much of an empty line has been seen at the end of what was given away.
  private enum Line: Equatable, Sendable {
    case inside
    case ended
    case endedThenReturn
  }

  private enum Part: Equatable, Sendable {
    case untilEmptyLine(Line)
    case counted(remaining: Int)
  }

  private var part = Part.untilEmptyLine(.inside)
  /// Bytes of a request have been given away and its end has not come.
  private(set) var isInsideRequest = false

  init() {}

  /// How many of `bytes` may be given to the parser now; they count as given.
  mutating func take(from bytes: UnsafeRawBufferPointer) -> Int {
    guard !bytes.isEmpty else { return 0 }
    isInsideRequest = true
    switch part {
    case .counted(let remaining):
      let taken = min(remaining, bytes.count)
      part = .counted(remaining: remaining - taken)
      return taken
    case .untilEmptyLine(var line):
      for (index, byte) in bytes.enumerated() {
        switch (byte, line) {
        case (UInt8(ascii: "\n"), .inside):
          line = .ended
        case (UInt8(ascii: "\n"), .ended), (UInt8(ascii: "\n"), .endedThenReturn):
          part = .untilEmptyLine(.inside)
          return index + 1
        case (UInt8(ascii: "\r"), .ended):
          line = .endedThenReturn
        default:
          line = .inside
        }
      }
      part = .untilEmptyLine(line)
      return bytes.count
    }
  }

  /// The parser has delivered a head.
  mutating func headDelivered(_ framing: Framing) {
    switch framing {
    case .chunked: part = .untilEmptyLine(.inside)
    case .length(let length): part = .counted(remaining: length)
    }
  }

  /// The parser has delivered the end of the request.
  mutating func endDelivered() -> Disagreement? {
    isInsideRequest = false
    defer { part = .untilEmptyLine(.inside) }
    guard case .counted(let remaining) = part, remaining > 0 else { return nil }
    return .endedEarly(remaining: remaining)
  }

  /// The parser has returned from what it was given.
  func checkAfterParsing() -> Disagreement? {
    isInsideRequest && part == .counted(remaining: 0) ? .endedLate : nil
  }

  /// How many bytes of the body are still to come, when that is known.
  var remainingBody: Int? {
    guard isInsideRequest, case .counted(let remaining) = part else { return nil }
    return remaining
  }
}
