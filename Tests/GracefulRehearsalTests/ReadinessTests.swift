import NIOCore
import TestHost
import Testing

@testable import GracefulRehearsal

@Suite("Whether a server is ready", .sharing(.processors), .timeLimit(.minutes(1)))
struct ReadinessTests {
  private func evidence(
    _ port: Int, host: String = "127.0.0.1", _ change: (inout RehearsalConfiguration) -> Void = { _ in }
  ) async throws -> (isReady: Bool, url: TargetURL, says: String) {
    var configuration = RehearsalConfiguration(graceful: "/g", environment: [:])
    change(&configuration)
    let url = try #require(TargetURL("http://\(host):\(port)/"))
    // The first address of a name may be another one than the server's.
    var settings = try LoadSettings(
      url: url, address: SocketAddress(ipAddress: host == "localhost" ? "::1" : host, port: port))
    var readiness = Readiness(configuration)
    var isReady = await readiness.look(&settings)
    if !isReady { isReady = await readiness.look(&settings) }
    if isReady { #expect(settings.address.ipAddress == "127.0.0.1") }
    return (isReady, settings.url, readiness.neverAnswered(url).reason)
  }

  @Test("What was answered last is said when it never was")
  func answered() async throws {
    let wrong: [(ScriptedServer.Behavior, String)] = [
      (.redirect, "it answered 302 from 127.0.0.1, which leads to /there (--follow-redirects follows it)"),
      (.serverError, "it answered 500 from 127.0.0.1"), (.garbage, "an answer that is not HTTP"),
      (.closeBeforeByte, "closed without an answer at 127.0.0.1:"), (.cutBody, "closed within the answer"),
    ]
    for (behavior, says) in wrong {
      let server = try await ScriptedServer { _ in behavior }
      let seen = try await evidence(server.port)
      #expect(!seen.isReady && seen.says.contains(says), "\(seen.says)")
      await server.end()
    }
  }

  @Test("A refused connection is said, with its address")
  func refused() async throws {
    let server = try await ScriptedServer { _ in .answer }
    let port = server.port
    await server.end()
    #expect(try await evidence(port).says.hasSuffix("the last time: connection refused at 127.0.0.1:\(port)."))
    #expect(try await evidence(port, host: "localhost").says.contains("connection refused at 127.0.0.1:\(port)"))
  }

  @Test("A name is tried at all its addresses, and the address that answers has the load")
  func localhost() async throws {
    let server = try await ScriptedServer { _ in .answer }
    #expect(try await evidence(server.port, host: "localhost").isReady)
    await server.end()
  }

  @Test("A redirect is followed when that is asked for")
  func redirect() async throws {
    let server = try await ScriptedServer { $0 == 1 ? .redirect : .answer }
    let seen = try await evidence(server.port) { $0.followsRedirects = true }
    #expect(seen.isReady && seen.url.path == "/there")
    await server.end()
  }
}
