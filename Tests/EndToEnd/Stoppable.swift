import Foundation
import GracefulDescriptors
import GracefulProcesses

/// The program `http-stopped`, and what it answers.
struct Stoppable {
  static let token = "0123456789abcdef"

  let directory: TestDirectory
  let program: ToolProcess
  /// `nil` when it listens on TCP.
  let socket: String?
  let port: Int
  let endpoint: EndpointClient

  /// The file with its token.
  var tokenFile: String { directory.path("token") }
  /// For `--url`.
  var url: String { socket.map { "unix:\($0)" } ?? "http://127.0.0.1:\(port)" }

  /// - Parameter tcp: Otherwise it listens on a socket.
  init(_ options: [String] = [], tcp: Bool = false) throws {
    directory = try TestDirectory()
    let file = try Self.tokenFile(in: directory)
    // Others may come in: it is the socket that must keep them out.
    let open = directory.path("open")
    try FileManager.default.createDirectory(atPath: open, withIntermediateDirectories: false)
    for path in [open, String(open.dropLast(5))] {
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    }
    socket = tcp ? nil : open + "/http"
    port = tcp ? Int(try FreePort.take()) : 0
    endpoint = EndpointClient(place: tcp ? .port(port) : .socket(open + "/http"))
    let place = tcp ? ["tcp=127.0.0.1:\(port)", "token=\(file)"] : ["socket=\(open)/http"]
    program = try ToolProcess(["http-stopped"] + place + options, executable: "TestProgram", in: directory)
  }

  static func tokenFile(in directory: TestDirectory) throws -> String {
    let file = directory.path("token")
    try Data("\(token)\n".utf8).write(to: URL(fileURLWithPath: file))
    try FileManager.default.setAttributes([.posixPermissions: 0o400], ofItemAtPath: file)
    return file
  }

  func connect() async throws -> WireClient { try await endpoint.connect() }
  func ask(_ request: String, _ fields: String = "") async -> String? { await endpoint.ask(request, fields) }
  func status(_ request: String, _ fields: String = "") async -> Int { await endpoint.status(request, fields) }
  func answers(_ request: String, _ status: Int) async -> Bool { await endpoint.answers(request, status) }

  /// Lets it, once it hears signals.
  func becomeReady() async -> Bool {
    guard await answers("GET /livez", 200) else { return false }
    program.child.signal(SIGUSR1)
    return await answers("GET /readyz", 200)
  }
}
