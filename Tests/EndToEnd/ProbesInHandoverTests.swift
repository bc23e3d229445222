import Foundation
import GracefulDescriptors
import GracefulProcesses
import Synchronization
import TestHost
import Testing

@Suite("Probes while one process takes over from another", .sharing(.processors), .timeLimit(.minutes(3)))
struct ProbesInHandoverTests {
  @Test(
    "T4: nobody who asks whether it lives is refused or reset, in five handovers", .serialized,
    arguments: [false, true])
  func nobodyIsRefused(overTCP: Bool) async throws {
    let directory = try TestDirectory()
    let place: [String]
    // Of no port a successor would choose another one.
    let port = overTCP ? Int(try FreePort.take()) : 0
    if overTCP {
      try "0123456789abcdef".write(toFile: directory.path("token"), atomically: true, encoding: .utf8)
      try FileManager.default.setAttributes([.posixPermissions: 0o400], ofItemAtPath: directory.path("token"))
      place = ["127.0.0.1:\(port)", "--token-file", directory.path("token")]
    } else {
      place = [directory.path("h")]
    }
    let first = try ToolProcess(
      ["demo", "--listen", "127.0.0.1:0", "--socket", directory.path("s"), "--http"] + place, in: directory)
    var serving = try #require(await first.serving(), "\(first.errors)")
    #expect(await eventually { first.errors.contains("the stop endpoint listens") })
    let asked = Atomic(0)
    let request = "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"
    let prober = Task {
      var bad: [String] = []
      while !Task.isCancelled {
        do {
          let client =
            if overTCP { try await WireClient.connect(port: port, sending: request) } else {
              try await WireClient.connect(socket: directory.path("h"), sending: request)
            }
          let isEnd = await client.ends()
          if !isEnd || !client.text.hasPrefix("HTTP/1.1 200") {
            bad.append("\(isEnd ? "ended" : "not ended"): \(client.text)\(client.error ?? "")")
          }
          client.close()
        } catch {
          bad.append("\(error)")
        }
        asked.add(1, ordering: .relaxed)
      }
      return bad
    }
    for generation in 2...6 {
      kill(serving.pid, SIGHUP)
      serving = try #require(await first.serving(generation: generation), "\(first.errors)")
      #expect(
        await eventually {
          first.errors.components(separatedBy: "the stop endpoint listens").count == generation + 1
        })
    }
    #expect(await eventually { asked.load(ordering: .relaxed) > 5 })
    prober.cancel()
    let bad = await prober.value
    #expect(bad.isEmpty, "\(bad.count) of \(asked.load(ordering: .relaxed)): \(bad.prefix(5))")
    kill(serving.pid, SIGTERM)
    #expect(await eventually { !FileManager.default.fileExists(atPath: directory.path("h")) })
  }
}
