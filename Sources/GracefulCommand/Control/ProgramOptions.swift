internal import ArgumentParser
internal import Foundation

/// How a program can be spoken with.
struct ProgramOptions: ParsableArguments {
  @Option(help: "The program's handover socket, or its control socket.")
  var socket: String?

  @Option(help: "Where it serves its HTTP endpoint: http://127.0.0.1:8081, or unix:/path/of/socket.")
  var url: String?

  @Option(help: "A file with the token for --url; without it, GRACEFUL_TOKEN is taken from the environment.")
  var tokenFile: String?

  func validate() throws {
    if tokenFile != nil, url == nil { throw ValidationError("--token-file is for --url") }
  }

  /// The secret for the endpoint: of the file, or what the environment says, if anything.
  func token() throws(CommandFailure) -> String? {
    guard let tokenFile else {
      let value = ProcessInfo.processInfo.environment["GRACEFUL_TOKEN"]
      return value.flatMap { $0.isEmpty ? nil : $0 }
    }
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: tokenFile)) } catch {
      throw .usage("--token-file \(tokenFile): \(error.localizedDescription)")
    }
    let token = String(decoding: data.prefix(4096), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    guard !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw .usage("--token-file \(tokenFile): there is no token in it: printable ASCII, without blanks")
    }
    return token
  }
}
