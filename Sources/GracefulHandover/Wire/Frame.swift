internal import GracefulSystem

/// A message on the wire: a type, a length with a bound, and that many bytes.
///
/// ```
///  0      2          4        8
///  +------+----------+--------+-----------+
///  | type | reserved | length | payload   |
///  +------+----------+--------+-----------+
/// ```
/// Numbers are in network byte order; the reserved bytes are sent as zero and not looked at.
package struct Frame: Equatable, Sendable {
  package static let headerLength = 8
  /// The longest payload that is taken; a peer that announces more is answered and cut off.
  package static let payloadLimit = 64 * 1024

  package var type: UInt16
  package var payload: [UInt8]

  package init(type: UInt16, payload: [UInt8] = []) {
    self.type = type
    self.payload = payload
  }

  package var encoded: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.headerLength + payload.count)
    bytes.appendNumber(type)
    bytes.appendNumber(UInt16(0))
    bytes.appendNumber(UInt32(payload.count))
    return bytes + payload
  }
}

extension Frame {
  private enum Kind: UInt16 {
    case refused = 1
    case welcome = 2
    case descriptors = 3
    case offered = 4
    case ready = 5
    case commit = 6
    case acknowledge = 7
    case released = 8
    case abort = 9
    case unknown = 10
  }

  package init(_ message: Message) {
    var payload: [UInt8] = []
    let kind: Kind
    switch message {
    case .refused(let refusal, let text):
      kind = .refused
      payload.appendNumber(refusal.rawValue)
      payload.appendText(text)
    case .welcome(let process, let generation, let descriptors):
      kind = .welcome
      payload.appendNumber(process)
      payload.appendNumber(generation)
      payload.appendNumber(descriptors)
    case .descriptors(let labels):
      kind = .descriptors
      payload.appendNumber(UInt16(labels.count))
      for label in labels {
        payload.appendText(label.name)
        payload.appendNumber(UInt16(label.metadata.count))
        payload += label.metadata
      }
    case .offered: kind = .offered
    case .ready: kind = .ready
    case .commit: kind = .commit
    case .acknowledge: kind = .acknowledge
    case .released: kind = .released
    case .abort(let text):
      kind = .abort
      payload.appendText(text)
    case .unknown(let type):
      kind = .unknown
      payload.appendNumber(type)
    }
    self.init(type: kind.rawValue, payload: payload)
  }

  /// What a frame says; nil when its type is known and its payload is not what that type has.
  package func message() -> Parsed? {
    guard let kind = Kind(rawValue: type) else { return .unknownType(type) }
    var reader = ByteReader(payload)
    let message: Message?
    switch kind {
    case .refused:
      message = reader.number(UInt16.self).flatMap { code in
        reader.text().map { .refused(Message.Refusal(rawValue: code), $0) }
      }
    case .welcome:
      if let process = reader.number(UInt32.self), let generation = reader.number(UInt32.self),
        let descriptors = reader.number(UInt32.self)
      {
        message = .welcome(process: process, generation: generation, descriptors: descriptors)
      } else {
        message = nil
      }
    case .descriptors: message = reader.labels().map { .descriptors($0) }
    case .offered: message = .offered
    case .ready: message = .ready
    case .commit: message = .commit
    case .acknowledge: message = .acknowledge
    case .released: message = .released
    case .abort: message = reader.text().map { .abort($0) }
    case .unknown: message = reader.number(UInt16.self).map { .unknown(type: $0) }
    }
    guard let message, reader.isAtEnd else { return nil }
    return .message(message)
  }

  package enum Parsed: Equatable, Sendable {
    case message(Message)
    case unknownType(UInt16)
  }
}

extension ByteReader {
  fileprivate mutating func labels() -> [DescriptorLabel]? {
    guard let count = number(UInt16.self) else { return nil }
    var labels: [DescriptorLabel] = []
    for _ in 0..<count {
      guard let name = text(), let length = number(UInt16.self), let metadata = bytes(Int(length)) else { return nil }
      labels.append(DescriptorLabel(name: name, metadata: Array(metadata)))
    }
    return labels
  }
}

extension [UInt8] {
  /// A length of two bytes and the text, cut to 1024 bytes at the border of a character.
  fileprivate mutating func appendText(_ text: String) {
    let bytes = text.bytes(atMost: 1024)
    appendNumber(UInt16(bytes.count))
    self += bytes
  }
}
