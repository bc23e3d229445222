import Foundation
import GracefulDescriptors
import NIOCore
import TestHost
import Testing

@testable import GracefulNIO

@Suite("A listener that another process ends", .serialized, .timeLimit(.minutes(2)))
struct ListenerEndedTests {
  private let request = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"

  /// It is refused until the listener listens again.
  private func connectAgain(_ server: TestServer) async throws -> RawClient {
    var client: RawClient?
    try await poll {
      client = try? await server.connect()
      return client != nil
    }
    return try #require(client)
  }

  @Test("A listener that another process ends listens again at its port, though the system had chosen that, and again")
  func endedByAnother() async throws {
    let first = try await TestServer.start()
    for _ in 0..<3 {
      #expect(shutdown(first.copy.number, Int32(SHUT_RDWR)) == 0)
      let client = try await connectAgain(first)
      try await client.send(request)
      try await client.until { $0.text.hasSuffix("first/x") }
      await client.close()
    }
    _ = await first.server.drain(until: .now + .seconds(30))
  }

  @Test("A listener that is paused when another process ends it accepts nothing before it is told to")
  func endedWhilePaused() async throws {
    let first = try await TestServer.start()
    await first.server.pauseAccepting()
    #expect(shutdown(first.copy.number, Int32(SHUT_RDWR)) == 0)
    await first.server.startAccepting()
    let client = try await connectAgain(first)
    try await client.send(request)
    try await client.until { $0.text.hasSuffix("first/x") }
    await client.close()
    _ = await first.server.drain(until: .now + .seconds(30))
  }

  @Test("A listener that another process ends, and whose port is another's then, is lost, and that is told")
  func lost() async throws {
    let first = try await TestServer.start()
    let address = try ListenAddress(of: first.copy.owned)
    var taken: SharedDescriptor?
    try await poll {
      _ = shutdown(first.copy.number, Int32(SHUT_RDWR))
      taken = (try? address.listen()).map { SharedDescriptor($0) }
      return taken != nil
    }
    await first.server.listenerIsLost()
    _ = await first.server.drain(until: .now + .seconds(30))
  }
}
