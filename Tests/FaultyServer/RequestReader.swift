import NIOCore

/// Reads the heads of `GET` requests without a body, and nothing else: what a load generator sends.
struct RequestReader {
  struct Request: Equatable {
    /// `X-Request-Id`, echoed in the answer.
    var id: String?
    /// `Connection: close`.
    var closes = false
  }

  struct NotUnderstood: Error {}

  private static let longestHead = 16 * 1024
  private var bytes = ByteBuffer()

  mutating func append(_ more: inout ByteBuffer) {
    bytes.discardReadBytes()
    bytes.writeBuffer(&more)
  }

  /// The next whole request, or nil when more bytes are needed.
  mutating func next() throws(NotUnderstood) -> Request? {
    let view = bytes.readableBytesView
    guard let end = view.firstRange(of: [13, 10, 13, 10]) else {
      if view.count > Self.longestHead { throw NotUnderstood() }
      return nil
    }
    let head = bytes.readString(length: end.upperBound - view.startIndex) ?? ""
    var lines = head.split(separator: "\r\n")[...]
    guard let requestLine = lines.popFirst(), requestLine.hasPrefix("GET "), requestLine.hasSuffix(" HTTP/1.1") else {
      throw NotUnderstood()
    }
    var request = Request()
    for line in lines {
      guard let colon = line.firstIndex(of: ":") else { throw NotUnderstood() }
      let value = line[line.index(after: colon)...].drop { $0 == " " }
      switch line[..<colon].lowercased() {
      case "x-request-id": request.id = String(value)
      case "connection": request.closes = value.lowercased() == "close"
      case "content-length" where value != "0": throw NotUnderstood()
      case "transfer-encoding": throw NotUnderstood()
      default: break
      }
    }
    return request
  }
}
