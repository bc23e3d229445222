internal import ArgumentParser
internal import Graceful
internal import GracefulNIO

/// How else than by a signal, or at the handover's socket, the demo can be stopped.
struct DemoStopWays: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Serves /shutdown, /status and the probes: 'own', a path, or an address such as 127.0.0.1:9090.",
      discussion: "'own' is a Unix socket in a directory of your own. An address demands --token-file.",
      valueName: "where"))
  var http: String?

  @Option(
    help: ArgumentHelp("A file of yours that nobody else can read: who asks over HTTP must know it.", valueName: "file")
  )
  var tokenFile: String?

  @Option(
    help: ArgumentHelp(
      "Stops when process.stop appears there, and answers with process.stopped.", valueName: "directory"))
  var stopFiles: String?

  @Option(
    help: ArgumentHelp(
      "For how long at most all is served on after a stop was asked for, while /readyz says no: 8s, 0s for none.",
      discussion:
        "Without it none, and 5s under Kubernetes. It ends early when no connection comes for 1s, but not before 3s."))
  var lameDuck: DurationArgument?

  func validate() throws {
    if let http {
      guard address(http) != nil else {
        throw ValidationError(
          "--http takes 'own', an absolute path, or an address in numbers or localhost and a port, and not '\(http)'")
      }
      if isTCP(http), tokenFile == nil {
        throw ValidationError("--http \(http) needs --token-file: every user of the machine can reach an address")
      }
    }
    if tokenFile != nil, http == nil { throw ValidationError("--token-file needs --http: it is asked for there") }
    if tokenFile?.isEmpty == true { throw ValidationError("--token-file takes the path of a file") }
    if stopFiles?.isEmpty == true { throw ValidationError("--stop-files takes a directory") }
  }

  var time: LameDuck { lameDuck.map { .atMost($0.duration) } ?? .automatic }

  var triggers: [Trigger] {
    // A successor takes over the address when its predecessor has let go of it.
    let overHTTP = http.flatMap(address).map { address in
      Trigger.http(on: address, token: tokenFile.map { .file($0) }, waitsForAddress: true)
    }
    return [overHTTP, stopFiles.map { .files(StopFiles(directory: $0)) }].compactMap { $0 }
  }

  private func isTCP(_ text: String) -> Bool { text != "own" && !text.hasPrefix("/") }

  private func address(_ text: String) -> StopServerAddress? {
    if text == "own" { return .ownSocket }
    if text.hasPrefix("/") { return .socket(text) }
    let name = "localhost:"
    guard text.lowercased().hasPrefix(name) else { return ListenAddress(text).map { .tcp($0) } }
    return ListenAddress("127.0.0.1:\(text.dropFirst(name.count))").map { .tcp(host: "localhost", port: $0.port) }
  }
}
