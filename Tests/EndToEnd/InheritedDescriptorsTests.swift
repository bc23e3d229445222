import Foundation
import NIOCore
import NIOPosix
import TestHost
import Testing

/// What a child process that the program's own code starts would get of it.
@Suite("A child process of a program's own code", .sharing(.processors), .timeLimit(.minutes(2)))
struct InheritedDescriptorsTests {
  /// Of the process: those that are not closed on exec.
  private static func inherited(by process: Int32) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd")) ?? []
    return names.compactMap { name in
      guard let number = Int(name), number > 2,
        let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/fd/\(name)"),
        let text = try? String(contentsOfFile: "/proc/\(process)/fdinfo/\(name)", encoding: .utf8),
        let line = text.split(separator: "\n").first(where: { $0.hasPrefix("flags:") }),
        let flags = Int(line.dropFirst(6).drop { $0 == "\t" || $0 == " " }, radix: 8)
      else { return nil }
      return flags & 0o2000000 == 0 ? "\(number) \(link)" : nil
    }
  }

  @Test("gets no connection of the server or of its stop endpoint, and no poll")
  func none() async throws {
    let directory = try TestDirectory()
    let port = try Stoppable.freePort()
    let demo = try ToolProcess(
      [
        "demo", "--listen", "127.0.0.1:0", "--socket", directory.path("s"), "--http", "localhost:\(port)",
        "--token-file", try Stoppable.tokenFile(in: directory),
      ], in: directory)
    let serving = try #require(await demo.serving())
    let endpoint = EndpointClient(place: .port(port))
    #expect(await endpoint.answers("GET /readyz", 200))
    let before = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(serving.pid)/fd").count
    var clients: [any Channel] = []
    for number in [serving.port, serving.port, port] {
      clients.append(
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
          .connect(host: "127.0.0.1", port: number).get())
    }
    try await poll {
      try FileManager.default.contentsOfDirectory(atPath: "/proc/\(serving.pid)/fd").count >= before + 3
    }
    try await poll("\(Self.inherited(by: serving.pid))") { Self.inherited(by: serving.pid).isEmpty }
    for client in clients { try await client.close() }
    demo.child.signal(SIGTERM)
    #expect(await demo.end() == .exited(0), "\(demo.errors)")
  }
}
