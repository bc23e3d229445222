/// The bytes of an answer, made by hand, so that a mistake in a library's encoder cannot hide one in its decoder.
enum Answer {
  private static let body = "a right answer\n"

  static func right(_ request: RequestReader.Request, announcingClose: Bool) -> String {
    let close = announcingClose || request.closes ? "Connection: close\r\n" : ""
    return head("200 OK", length: body.utf8.count, id: request.id, more: close) + body
  }

  static func badStatus(_ request: RequestReader.Request) -> String {
    let body = "not now\n"
    return head("503 Service Unavailable", length: body.utf8.count, id: request.id) + body
  }

  static func somebodyElses(_ request: RequestReader.Request) -> String {
    let body = "somebody else's answer\n"
    return head("200 OK", length: body.utf8.count, id: request.id.map { "not-\($0)" }) + body
  }

  /// Half of what it announces.
  static func cut(_ request: RequestReader.Request) -> String {
    head("200 OK", length: 100, id: request.id) + String(repeating: "x", count: 50)
  }

  static let notUnderstood = head("400 Bad Request", length: 0, id: nil, more: "Connection: close\r\n")

  private static func head(_ status: String, length: Int, id: String?, more: String = "") -> String {
    let echo = id.map { "X-Request-Id: \($0)\r\n" } ?? ""
    return "HTTP/1.1 \(status)\r\nContent-Length: \(length)\r\n\(echo)\(more)\r\n"
  }
}
