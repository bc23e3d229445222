import TestHost
import NIOCore
import Testing

@testable import GracefulNIO

private func get(_ path: String, _ fields: String = "") -> String {
  "GET \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n"
}

private let announced = "connection: close"

extension RawClient.Seen {
  /// Announced, answered, ended with a FIN and no reset.
  func endedWell(_ answer: String) -> Bool {
    text.contains(answer) && text.lowercased().contains(announced) && fin && failure == nil
  }
}

@Suite("The drain, over sockets", .serialized, .timeLimit(.minutes(2)))
struct DrainOverSocketsTests {
  @Test("A connection that is not drained stays open from request to request and announces nothing")
  func keepsAlive() async throws {
    let server = try await TestServer.start()
    let client = try await server.connect()
    for index in 1...3 {
      try await client.send(get("/\(index)"))
      try await client.until { $0.text.hasSuffix("first/\(index)") }
    }
    #expect(!client.seen.text.lowercased().contains("connection:"))
    #expect(server.server.connections == 1)
    await client.close()
    let outcome = await server.server.drain(until: .now + .seconds(30))
    #expect(outcome.cut == 0 && outcome.broken == 0)
  }

  @Test("An idle client's next request is answered with the announcement, then it gets a FIN and no reset")
  func idleClient() async throws {
    let server = try await TestServer.start()
    let client = try await server.connect()
    try await client.send(get("/1"))
    try await client.until { $0.text.hasSuffix("first/1") }
    let drain = await server.beginDrain()
    #expect(!client.seen.fin)
    try await client.send(get("/2"))
    let seen = try await client.until { $0.fin }
    #expect(seen.endedWell("first/2"))
    await client.close()
    #expect(await drain.value == DrainOutcome(finished: 1))
  }

  @Test("A client that has never sent a byte is served while the server drains")
  func silentClient() async throws {
    let server = try await TestServer.start()
    let client = try await server.connect()
    try await poll { server.server.connections == 1 }
    let drain = await server.beginDrain()
    try await client.send(get("/late"))
    let seen = try await client.until { $0.fin }
    #expect(seen.endedWell("first/late"))
    await client.close()
    #expect(await drain.value == DrainOutcome(finished: 1))
  }

  @Test("A slow response is completed, and announces the close")
  func slowResponse() async throws {
    let server = try await TestServer.start()
    let client = try await server.connect()
    try await client.send(get("/held"))
    let held = await server.gate.next()
    let drain = await server.beginDrain()
    held.succeed()
    let seen = try await client.until { $0.fin }
    #expect(seen.endedWell("held"))
    await client.close()
    #expect(await drain.value == DrainOutcome(finished: 1))
  }

  @Test("A streamed response whose head was written before the drain ends normally; the next one announces the close")
  func streamedResponse() async throws {
    let server = try await TestServer.start()
    let client = try await server.connect()
    try await client.send(get("/stream"))
    let held = await server.gate.next()
    let drain = await server.beginDrain()
    held.succeed()
    let first = try await client.until { $0.text.hasSuffix("0\r\n\r\n") }
    #expect(first.text.contains("3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"))
    #expect(!first.text.lowercased().contains(announced))
    try await client.send(get("/2"))
    let seen = try await client.until { $0.fin }
    #expect(seen.endedWell("first/2"))
    await client.close()
    #expect(await drain.value == DrainOutcome(finished: 1))
  }

  @Test("A request whose body is half received is read to its end and answered", arguments: ["/echo", "/mirror"])
  func halfReceived(path: String) async throws {
    let server = try await TestServer.start()
    let client = try await server.connect()
    let drain: Task<DrainOutcome, Never>
    if path == "/mirror" {
      drain = await server.beginDrainOf(client)
      try await client.send("POST \(path) HTTP/1.1\r\nContent-Length: 10\r\n\r\n01234")
      await server.gate.next().succeed()
    } else {
      try await client.send("POST \(path) HTTP/1.1\r\nContent-Length: 10\r\n\r\n01234")
      drain = await server.beginDrainOf(client)
    }
    try await client.send("56789")
    let seen = try await client.until { $0.fin }
    #expect(seen.text.contains("56789") && seen.text.lowercased().contains(announced) && seen.failure == nil)
    await client.close()
    #expect(await drain.value == DrainOutcome(finished: 1))
  }

  @Test("Pipelined requests are all answered in order, and only the last one announces the close")
  func pipelined() async throws {
    let server = try await TestServer.start()
    let client = try await server.connect()
    try await client.send(get("/held") + get("/2") + "POST /echo HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc" + get("/4"))
    let held = await server.gate.next()
    let drain = await server.beginDrain()
    held.succeed()
    let seen = try await client.until { $0.fin }
    let order = ["held", "first/2", "abc", announced, "first/4"].map {
      seen.text.lowercased().firstRange(of: $0)?.lowerBound
    }
    #expect(order.allSatisfy { $0 != nil } && order.compactMap { $0 } == order.compactMap { $0 }.sorted())
    #expect(RawClient.Seen(text: seen.text.lowercased()).count(of: announced) == 1)
    #expect(seen.failure == nil)
    await client.close()
    #expect(await drain.value == DrainOutcome(finished: 1))
  }

  @Test("Pipelined requests that come byte by byte while the first is answered are all answered")
  func pipelinedByteByByte() async throws {
    let server = try await TestServer.start()
    let client = try await server.connect()
    try await client.send(get("/held"))
    let held = await server.gate.next()
    let drain = await server.beginDrain()
    let rest = get("/2") + get("/3")
    let head = rest.prefix(rest.count - 9)
    for character in head { try await client.send(String(character)) }
    held.succeed()
    for character in rest.dropFirst(head.count) { try await client.send(String(character)) }
    let seen = try await client.until { $0.fin }
    #expect(seen.text.contains("held") && seen.text.contains("first/2") && seen.text.contains("first/3"))
    #expect(seen.failure == nil && RawClient.Seen(text: seen.text.lowercased()).count(of: announced) == 1)
    await client.close()
    #expect(await drain.value == DrainOutcome(finished: 1))
  }

  @Test("A client that writes a further request under a large announced answer gets the whole answer and no reset")
  func lingering() async throws {
    let server = try await TestServer.start()
    let client = try await server.connect()
    let drain = await server.beginDrainOf(client)
    try await client.send(get("/large"))
    try await client.until { $0.text.contains("\r\n\r\n") }
    try await client.send(get("/unheard") + String(repeating: "y", count: 100_000))
    let seen = try await client.until { $0.fin || $0.failure != nil }
    #expect(seen.text.hasSuffix("END") && seen.failure == nil)
    #expect(!seen.text.contains("unheard"))
    await client.close()
    #expect(await drain.value == DrainOutcome(finished: 1))
  }

  @Test("A client that does not close after the last answer is closed when the linger ends")
  func lingerEnds() async throws {
    var configuration = DrainingHTTP1Configuration()
    configuration.linger = .milliseconds(50)
    let server = try await TestServer.start(configuration: configuration)
    let client = try await server.connect()
    let drain = await server.beginDrainOf(client)
    try await client.send(get("/1"))
    #expect(await drain.value == DrainOutcome(finished: 1))
    #expect(try await client.until { $0.fin }.endedWell("first/1"))
    await client.close()
  }

  @Test("At the limit an idle connection is closed cleanly, and one with a request in flight is cut")
  func limit() async throws {
    let server = try await TestServer.start(on: TestServer.quietGroup)
    let idle = try await server.connect()
    let busy = try await server.connect()
    try await idle.send(get("/1"))
    try await idle.until { $0.text.hasSuffix("first/1") }
    try await busy.send(get("/held"))
    let held = await server.gate.next()
    let begun = ContinuousClock.now
    let outcome = await server.server.drain(until: .now + .milliseconds(400))
    #expect(outcome == DrainOutcome(closedIdle: 1, cut: 1))
    #expect(begun.duration(to: .now) >= .milliseconds(400))
    #expect(try await idle.until { $0.fin }.failure == nil)
    try await busy.until { $0.fin || $0.failure != nil }
    held.succeed()
    await idle.close()
    await busy.close()
  }

  @Test("A drain whose limit has passed closes what is idle and is over at once")
  func noTime() async throws {
    let server = try await TestServer.start(on: TestServer.quietGroup)
    let client = try await server.connect()
    try await poll { server.server.connections == 1 }
    let outcome = await server.server.drain(until: .now)
    #expect(outcome == DrainOutcome(closedIdle: 1))
    #expect(try await client.until { $0.fin }.failure == nil)
    await client.close()
  }

  @Test("A client that sends its FIN behind its requests gets all its answers")
  func halfClosed() async throws {
    let server = try await TestServer.start()
    let client = try await server.connect()
    try await client.send(get("/held") + get("/2"))
    try await client.finish()
    await server.gate.next().succeed()
    let seen = try await client.until { $0.closed }
    #expect(seen.text.contains("held") && seen.text.contains("first/2") && seen.failure == nil)
    await client.close()
    #expect(await server.server.drain(until: .now + .seconds(30)).cut == 0)
  }

  @Test("A client that asks for the close, and one of HTTP/1.0, are answered and closed at any time")
  func asksForClose() async throws {
    let server = try await TestServer.start()
    for request in [get("/1", "Connection: close\r\n"), "GET /1 HTTP/1.0\r\n\r\n"] {
      let client = try await server.connect()
      try await client.send(request)
      #expect(try await client.until { $0.fin }.endedWell("first/1"))
      await client.close()
    }
    let kept = try await server.connect()
    try await kept.send("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    let seen = try await kept.until { $0.text.hasSuffix("first/1") }
    #expect(seen.text.lowercased().contains("connection: keep-alive"))
    try await kept.send("GET /2 HTTP/1.0\r\n\r\n")
    #expect(try await kept.until { $0.fin }.endedWell("first/2"))
    await kept.close()
    _ = await server.server.drain(until: .now + .seconds(30))
  }

  @Test("A malformed request is answered with 400 and closed without a reset")
  func malformed() async throws {
    let server = try await TestServer.start()
    for text in [
      "NONSENSE\r\n\r\n" + String(repeating: "z", count: 50_000),
      "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    ] {
      let client = try await server.connect()
      try await client.send(text)
      let seen = try await client.until { $0.fin || $0.failure != nil }
      #expect(seen.text.hasPrefix("HTTP/1.1 400 ") && seen.endedWell("400"))
      await client.close()
    }
    _ = await server.server.drain(until: .now + .seconds(30))
  }

  @Test("A client that resets the connection while its request is answered is counted as broken")
  func resetByClient() async throws {
    let server = try await TestServer.start()
    let client = try await server.connect()
    try await client.send(get("/held"))
    let held = await server.gate.next()
    let drain = await server.beginDrain()
    try await client.reset()
    #expect(await drain.value == DrainOutcome(broken: 1))
    held.succeed()
  }
}
