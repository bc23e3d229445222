import NIOCore
import Testing

@testable import GracefulNIO

private let announced = "connection: close"

private func post(_ path: String, length: Int = 3) -> String {
  "POST \(path) HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: \(length)\r\n\r\n"
}

@Suite("A request that expects 100-continue, over sockets", .serialized, .timeLimit(.minutes(2)))
struct ExpectContinueOverSocketsTests {
  @Test(
    "Expect: 100-continue is answered once, by the handler or for it, and then the request",
    arguments: ["/continue", "/echo"])
  func expectContinue(path: String) async throws {
    let server = try await TestServer.start()
    let client = try await server.connect()
    try await client.send(post(path))
    try await client.until { $0.text == "HTTP/1.1 100 Continue\r\n\r\n" }
    try await client.send("abc")
    let first = try await client.until { $0.text.hasSuffix("\r\n\r\nabc") }
    #expect(first.text.contains(" 200 OK") && !first.text.lowercased().contains(announced))
    let drain = await server.beginDrainOf(client)
    try await client.send(post(path))
    try await client.until { $0.text.hasSuffix("abcHTTP/1.1 100 Continue\r\n\r\n") }
    try await client.send("def")
    let seen = try await client.until { $0.fin }
    #expect(seen.endedWell("\r\n\r\ndef") && seen.count(of: "100 Continue") == 2 && seen.count(of: "200 OK") == 2)
    await client.close()
    #expect(await drain.value == DrainOutcome(finished: 1))
  }

  @Test("A pipelined request that waits for its 100 gets it when its turn has come, while the server drains")
  func expectContinuePipelined() async throws {
    let server = try await TestServer.start()
    let client = try await server.connect()
    try await client.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n" + post("/echo"))
    let held = await server.gate.next()
    let drain = await server.beginDrain()
    #expect(client.seen.text.isEmpty)
    held.succeed()
    let told = try await client.until { $0.text.hasSuffix("heldHTTP/1.1 100 Continue\r\n\r\n") }
    #expect(!told.text.lowercased().contains(announced))
    try await client.send("abc")
    #expect(try await client.until { $0.fin }.endedWell("\r\n\r\nabc"))
    await client.close()
    #expect(await drain.value == DrainOutcome(finished: 1))
  }

  @Test("A client that is refused before it sends its body is told of the close")
  func refusedEarly() async throws {
    let server = try await TestServer.start()
    let client = try await server.connect()
    try await client.send(post("/early", length: 3_000_000))
    let seen = try await client.until { $0.fin }
    #expect(seen.endedWell("413") && !seen.text.contains("100 Continue"))
    await client.close()
    _ = await server.server.drain(until: .now + .seconds(30))
  }
}
