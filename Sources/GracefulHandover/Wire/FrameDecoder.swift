internal import GracefulSystem

/// Makes a preamble and frames out of bytes as they come, and holds never more than one frame of them.
package struct FrameDecoder: Sendable {
  package enum Output: Equatable, Sendable {
    case preamble(Preamble)
    case frame(Frame)
  }

  /// What a peer sent that is no protocol of ours.
  ///
  /// The decoder takes nothing more after it.
  package enum Malformed: Error, Equatable, Sendable, CustomStringConvertible {
    case notGraceful
    case textTooLong(UInt32)
    case textNotUTF8
    case frameTooLong(type: UInt16, length: UInt32)

    package var description: String {
      switch self {
      case .notGraceful: "the first bytes are not those of this protocol (\"GRACEFUL\")"
      case .textTooLong(let length):
        "the preamble announces \(length) bytes of text, and at most \(Preamble.textLimit) are taken"
      case .textNotUTF8: "the preamble's text is not UTF-8"
      case .frameTooLong(let type, let length):
        "a frame of type \(type) announces \(length) bytes, and at most \(Frame.payloadLimit) are taken"
      }
    }
  }

  private var buffer: [UInt8] = []
  private var sawPreamble = false
  private var failed = false

  package init() {}

  /// How many bytes wait for the rest of what they belong to.
  package var held: Int { buffer.count }

  package mutating func append(_ bytes: [UInt8]) {
    guard !failed else { return }
    buffer += bytes
  }

  /// The next thing in what has been appended; nil when it is not complete yet.
  package mutating func next() throws(Malformed) -> Output? {
    guard !failed else { return nil }
    do {
      return sawPreamble ? try frame() : try preamble()
    } catch {
      failed = true
      buffer = []
      throw error
    }
  }

  private mutating func preamble() throws(Malformed) -> Output? {
    // A stranger is told at its first wrong byte, not when it has sent sixteen.
    guard Preamble.magic.starts(with: buffer.prefix(Preamble.magic.count)) else { throw .notGraceful }
    var reader = ByteReader(buffer.prefix(Preamble.headerLength).dropFirst(Preamble.magic.count))
    guard let version = reader.number(UInt16.self), let purpose = reader.number(UInt16.self),
      let length = reader.number(UInt32.self)
    else { return nil }
    guard length <= Preamble.textLimit else { throw .textTooLong(length) }
    let end = Preamble.headerLength + Int(length)
    guard buffer.count >= end else { return nil }
    guard let program = String(validating: buffer[Preamble.headerLength..<end], as: UTF8.self) else {
      throw .textNotUTF8
    }
    buffer.removeFirst(end)
    sawPreamble = true
    return .preamble(Preamble(version: version, purpose: .init(rawValue: purpose), program: program))
  }

  private mutating func frame() throws(Malformed) -> Output? {
    var reader = ByteReader(buffer.prefix(Frame.headerLength))
    guard let type = reader.number(UInt16.self), reader.number(UInt16.self) != nil,
      let length = reader.number(UInt32.self)
    else { return nil }
    guard length <= Frame.payloadLimit else { throw .frameTooLong(type: type, length: length) }
    let end = Frame.headerLength + Int(length)
    guard buffer.count >= end else { return nil }
    let payload = Array(buffer[Frame.headerLength..<end])
    buffer.removeFirst(end)
    return .frame(Frame(type: type, payload: payload))
  }
}
