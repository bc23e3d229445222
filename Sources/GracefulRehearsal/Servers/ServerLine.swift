package import GracefulProcesses

/// Who answers: what the demo writes into each body, `generation G pid P`.
package struct ServerIdentity: Hashable, Sendable {
  package var generation: Int
  package var pid: ProcessID

  package init(generation: Int, pid: ProcessID) {
    self.generation = generation
    self.pid = pid
  }

  /// Reads a body; `nil` for a server that answers anything else.
  package init?(body: some StringProtocol) {
    let words = body.split(whereSeparator: \.isWhitespace)
    guard words.count == 4, words[0] == "generation", words[2] == "pid", let generation = Int(words[1]),
      let pid = Int32(words[3]), pid > 0
    else { return nil }
    self.init(generation: generation, pid: ProcessID(rawValue: pid))
  }
}

/// A line of the server's standard output that means something to the rehearsal.
package enum ServerLine: Hashable, Sendable {
  /// `serving http://127.0.0.1:PORT generation G pid P`.
  case serving(url: String, ServerIdentity)
  /// `paused pid P`: a successor that holds its descriptors and waits to be killed or stopped.
  case paused(ProcessID)

  /// Reads a line; `nil` for any other.
  package init?(_ line: String) {
    let words = line.split(separator: " ")
    if words.count == 6, words[0] == "serving", let identity = ServerIdentity(body: words[2...].joined(separator: " "))
    {
      self = .serving(url: String(words[1]), identity)
    } else if words.count == 3, words[0] == "paused", words[1] == "pid", let pid = Int32(words[2]), pid > 0 {
      self = .paused(ProcessID(rawValue: pid))
    } else {
      return nil
    }
  }
}
