internal import NIOHTTP1

/// Whom an answer names as its process: what a server may say of itself in a header or in a body.
package struct AnswerWord: Hashable, Sendable {
  /// Headers that servers use for it.
  private static let pidHeaders = ["x-pid", "x-process-id", "x-server-pid", "x-worker-pid"]
  private static let generationHeaders = ["x-generation", "x-server-generation"]

  package var pid: Int32?
  package var generation: Int?

  package init(pid: Int32? = nil, generation: Int? = nil) {
    self.pid = pid
    self.generation = generation
  }

  /// Reads the beginning of a body, and the headers, which come first.
  ///
  /// In a body it is a number behind the word `pid` or `generation`: `pid 42`, `"pid": 42`, `pid=42`.
  init(_ headers: HTTPHeaders, body: String) {
    func header(_ names: [String]) -> Int? {
      names.lazy.compactMap { headers.first(name: $0).flatMap { Int($0) } }.first { $0 > 0 }
    }
    pid = (header(Self.pidHeaders) ?? Self.number(behind: "pid", in: body)).flatMap { Int32(exactly: $0) }
    generation = header(Self.generationHeaders) ?? Self.number(behind: "generation", in: body)
  }

  private static func number(behind word: String, in body: String) -> Int? {
    // Words and numbers, with whatever is between them left out.
    let parts = body.split { !$0.isLetter && !$0.isNumber && $0 != "-" && $0 != "_" }
    for (name, value) in zip(parts, parts.dropFirst()) where name.lowercased() == word {
      guard let number = Int(value), number > 0 else { continue }
      return number
    }
    return nil
  }
}
