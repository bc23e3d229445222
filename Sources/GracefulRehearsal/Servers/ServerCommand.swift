/// The command to rehearse, resolved: what is run, and whether it is our demo.
package struct ServerCommand: Hashable, Sendable {
  /// The executable and its arguments.
  package var words: [String]
  /// Whether it is `graceful demo`, whose standard output and answers can be read.
  package var isDemo: Bool

  /// Resolves what the user wrote.
  ///
  /// - Parameters:
  ///   - words: After `--`; empty stands for `graceful demo`.
  ///   - graceful: This executable, for the command word `graceful`.
  ///   - socket: For a demo that names none.
  ///   - listen: The same.
  package init(_ words: [String], graceful: String, socket: String, listen: String = "127.0.0.1:0") {
    var words = words.isEmpty ? ["graceful", "demo"] : words
    let name = words[0].split(separator: "/").last.map(String.init)
    isDemo = name == "graceful" && words.dropFirst().first == "demo"
    if words[0] == "graceful" { words[0] = graceful }
    if isDemo {
      if !Self.names("--listen", in: words) { words += ["--listen", listen] }
      if !Self.names("--socket", in: words) { words += ["--socket", socket] }
    }
    self.words = words
  }

  /// Whether the user's words call for our demo, before anything is resolved.
  package static func isDemo(_ words: [String]) -> Bool {
    ServerCommand(words, graceful: "graceful", socket: "").isDemo
  }

  /// Whether the user's words leave the port to the system: then each start has another one.
  package static func listensAnywhere(_ words: [String]) -> Bool {
    zip(words, words.dropFirst()).contains { $0 == "--listen" && $1.hasSuffix(":0") }
      || words.contains { $0.hasPrefix("--listen=") && $0.hasSuffix(":0") }
  }

  private static func names(_ option: String, in words: [String]) -> Bool {
    words.contains { $0 == option || $0.hasPrefix("\(option)=") }
  }
}
