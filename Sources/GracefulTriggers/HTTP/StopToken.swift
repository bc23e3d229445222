/// The secret that the client of a stop over HTTP must know.
///
/// It is sent in a header, never in the URL, which proxies and servers write into their logs:
/// `Authorization: Bearer TOKEN` (RFC 6750 §2.1) or `X-Stop-Token: TOKEN`.
public struct StopToken: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
  /// Of a longer one nothing is compared.
  static let longest = 4096

  private let bytes: [UInt8]

  /// - Returns: `nil` when it is empty, longer than 4,096 bytes, or has anything in it but visible ASCII characters, which
  ///   no header could carry unchanged.
  public init?(_ text: some StringProtocol) {
    let bytes = Array(text.utf8)
    guard !bytes.isEmpty, bytes.count <= Self.longest, bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      return nil
    }
    self.bytes = bytes
  }

  /// Whether it is this one, in a time that tells nothing of it: it depends on the length of what was offered only.
  public func matches(_ offered: some StringProtocol) -> Bool {
    let offered = Array(offered.utf8.prefix(Self.longest + 1))
    var difference = offered.count ^ bytes.count
    for index in offered.indices { difference |= Int(offered[index] ^ bytes[index % bytes.count]) }
    return difference == 0
  }

  /// Not the token: it would end up in a log.
  public var description: String { "a token of \(bytes.count) bytes" }

  /// Not the token, either.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

extension StopEndpoint.Request {
  /// Whether it brings the token: once at least, and no other one beside it.
  func brings(_ token: StopToken) -> Bool {
    var offered: [Bool] = []
    for header in headers {
      switch header.name.lowercased() {
      case "x-stop-token": offered.append(token.matches(header.value.trimmed))
      case "authorization": offered.append(Self.bearer(header.value).map { token.matches($0) } ?? false)
      default: break
      }
    }
    return !offered.isEmpty && offered.allSatisfy { $0 }
  }

  /// `Bearer`, in any case (RFC 9110 §11.1), blanks, the token.
  private static func bearer(_ value: String) -> Substring? {
    let value = value.trimmed
    guard let blank = value.firstIndex(of: " "), value[..<blank].lowercased() == "bearer" else { return nil }
    return value[blank...].trimmed
  }
}

extension StringProtocol where SubSequence == Substring {
  /// Without the blanks around it (RFC 9110 §5.5).
  var trimmed: Substring {
    var rest = self[startIndex..<endIndex]
    while let first = rest.first, first == " " || first == "\t" { rest.removeFirst() }
    while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
    return rest
  }
}
