import NIOHTTP1

/// What the head of a response says about its connection, and how it is made to say something else.
enum ResponseHead {
  /// Another head will follow (RFC 9110 §15.2).
  ///
  /// 101 is a last one: nothing here upgrades.
  static func isInterim(_ head: HTTPResponseHead) -> Bool {
    (100..<200).contains(head.status.code) && head.status != .switchingProtocols
  }

  /// The handler wants the close, or the close is the only end that the body has (RFC 9112 §6.3, rule 8).
  static func closes(_ head: HTTPResponseHead, to request: HTTPRequestHead) -> Bool {
    if head.headers[canonicalForm: "connection"].contains(where: { $0.lowercased() == "close" }) { return true }
    guard request.method != .HEAD, head.status.mayHaveResponseBody else { return false }
    return head.version.isBelow1_1 && !head.headers.contains(name: "content-length")
  }

  /// A client of HTTP/1.0 does not know chunks (RFC 9112 §6.1): its answer is framed as its own version is.
  static func fitted(_ head: HTTPResponseHead, to request: HTTPRequestHead) -> HTTPResponseHead {
    guard request.version.isBelow1_1, !head.version.isBelow1_1, !head.headers.contains(name: "content-length") else {
      return head
    }
    var head = head
    head.version = request.version
    head.headers.remove(name: "transfer-encoding")
    return head
  }

  /// The head that announces the close, or that the connection stays.
  static func announcing(close: Bool, in head: HTTPResponseHead, to request: HTTPRequestHead) -> HTTPResponseHead {
    var head = head
    if close {
      head.headers.replaceOrAdd(name: "Connection", value: "close")
      head.headers.remove(name: "Keep-Alive")
    } else if request.version.isBelow1_1 {
      // A client of HTTP/1.0 that asked for it waits for this answer (RFC 9112 §9.3).
      head.headers.replaceOrAdd(name: "Connection", value: "keep-alive")
    }
    return head
  }
}

/// What the head of a request means for its connection.
enum RequestHead {
  /// The client wants the close, or the decoder parses nothing behind this request: it stops at an upgrade or a
  /// CONNECT.
  static func closes(_ head: HTTPRequestHead) -> Bool {
    if !head.isKeepAlive || head.method == .CONNECT { return true }
    return head.headers.contains(name: "upgrade")
      && head.headers[canonicalForm: "connection"].contains { $0.lowercased() == "upgrade" }
  }

  /// The client may wait for a 100 before it sends the body; without a body there is nothing to wait for, and in
  /// HTTP/1.0 the expectation is ignored (RFC 9110 §10.1.1).
  static func expectsContinue(_ head: HTTPRequestHead) -> Bool {
    !head.version.isBelow1_1 && framing(head) != .length(0)
      && head.headers[canonicalForm: "expect"].contains { $0.lowercased() == "100-continue" }
  }

  /// The parser has checked the values: digits only, and never both.
  static func framing(_ head: HTTPRequestHead) -> RequestCut.Framing {
    if head.headers.contains(name: "transfer-encoding") { return .chunked }
    let length = head.headers.first(name: "content-length").flatMap { value in
      Int(value.filter { $0 != " " && $0 != "\t" })
    }
    return .length(length ?? 0)
  }
}

extension HTTPVersion {
  /// Before persistent connections and chunks.
  var isBelow1_1: Bool { major < 1 || major == 1 && minor < 1 }
}
