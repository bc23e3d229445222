import TestHost
import Graceful
import GracefulDescriptors
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import GracefulNIO

/// A draining server with the stop endpoint on it, whose phase ends when its connections have.
private struct RoutedServer {
  let world: StopWorld
  let server: DrainingServer
  let gate = Gate()
  let routes: StopRoutes

  init(_ endpoint: StopEndpoint = .init(), token: Bool = false) async throws {
    let world = try StopWorld()
    let routes = StopRoutes(token: token ? world.secret : nil, endpoint: endpoint)
    let gate = gate
    server = try await DrainingServer.adopt(
      try TestServer.listener(), on: TestServer.group, logger: Logger(label: "test")
    ) { channel in
      channel.eventLoop.makeCompletedFuture {
        try channel.pipeline.syncOperations.addDrainingHTTP1Server()
        try channel.pipeline.syncOperations.addHandler(routes.handler())
        try channel.pipeline.syncOperations.addHandler(TestHandler(name: "first", gate: gate))
      }
    }
    let server = server
    world.lifecycle.phase("http") { phase in
      await server.startAccepting()
      phase.ready()
      await phase.drainRequested()
      _ = await server.drain(until: .now + .seconds(50))
    }
    (self.world, self.routes) = (world, routes)
  }

  func connect() async throws -> RawClient {
    try await RawClient.connect(to: server.localAddress, on: TestServer.group)
  }
}

@Suite("The stop endpoint on the program's own server", .serialized, .timeLimit(.minutes(2)))
struct StopRoutesTests {
  @Test("answers its own paths and passes the others on, on one connection")
  func passes() async throws {
    let routed = try await RoutedServer()
    let run = try await routed.world.run(on: routed.routes.trigger)
    let client = try await routed.connect()
    try await client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
    try await client.until { $0.text.contains("first/a") && $0.text.hasSuffix("alive\n") }
    try await client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
    try await client.until { $0.text.hasSuffix("hi") }
    try await client.send("HEAD /readyz HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n")
    try await client.until { $0.text.hasSuffix("first/b") }
    await client.close()
    routed.world.lifecycle.requestStop()
    _ = await run.value
  }

  @Test(
    "a request that waits for the end does not hold up the drain of the server that it came to, and gets its answer")
  func waits() async throws {
    let routed = try await RoutedServer()
    let run = try await routed.world.run(on: routed.routes.trigger)
    let client = try await routed.connect()
    try await client.send("POST /shutdown?wait=60s HTTP/1.1\r\nHost: a\r\n\r\n")
    let seen = try await client.until { $0.fin }
    #expect(seen.text.hasPrefix("HTTP/1.1 200 ") && seen.text.contains("\"exitCode\":0") && seen.failure == nil)
    #expect(seen.text.lowercased().contains("connection: close"))
    let report = await run.value
    #expect(report.exitCode == 0)
    // It would have been 50 s: the request waits for the drain, and the drain for the request.
    #expect(report.took < .seconds(20))
    await client.close()
  }

  @Test("nor does one that is told the progress")
  func streams() async throws {
    let routed = try await RoutedServer()
    let run = try await routed.world.run(on: routed.routes.trigger)
    let client = try await routed.connect()
    try await client.send("POST /shutdown HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n")
    let seen = try await client.until { $0.fin }
    #expect(seen.text.contains("event: stopped\n") && seen.text.hasSuffix("0\r\n\r\n"))
    #expect(await run.value.took < .seconds(20))
    await client.close()
  }

  @Test("a request that was sent before is answered, while the one that asks for the stop waits")
  func others() async throws {
    let routed = try await RoutedServer()
    let run = try await routed.world.run(on: routed.routes.trigger)
    let busy = try await routed.connect()
    try await busy.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
    let held = await routed.gate.next()
    let client = try await routed.connect()
    try await client.send("POST /shutdown?wait=60s HTTP/1.1\r\nHost: a\r\n\r\n")
    try await poll { routed.world.lifecycle.snapshot().phases.contains { $0.name == "http" && $0.state == .draining } }
    #expect(client.seen.text.isEmpty)
    held.succeed()
    try await busy.until { $0.text.hasSuffix("held") }
    await busy.close()
    #expect(try await client.until { $0.fin }.text.hasPrefix("HTTP/1.1 200 "))
    _ = await run.value
    await client.close()
  }

  @Test("runs the program's own code, which writes the answer")
  func author() async throws {
    var endpoint = StopEndpoint()
    endpoint.paths.shutdown = "/bye"
    endpoint.author = { request, answer, response in
      var response = response
      response.body = "bye, \(answer.state)\n"
      response.headers.append(.init("X-Program", "shop"))
      return response
    }
    let routed = try await RoutedServer(endpoint, token: true)
    let run = try await routed.world.run(on: routed.routes.trigger)
    let client = try await routed.connect()
    try await client.send("POST /bye HTTP/1.1\r\nHost: a\r\n\r\n")
    try await client.until { $0.text.hasPrefix("HTTP/1.1 403 ") && $0.text.hasSuffix("}\n") }
    try await client.send("POST /bye HTTP/1.1\r\nHost: a\r\nX-Stop-Token: \(StopWorld.token)\r\n\r\n")
    let seen = try await client.until { $0.text.hasSuffix("bye, accepted\n") }
    #expect(seen.text.contains("X-Program: shop"))
    #expect(seen.text.split(separator: "\r\n").contains { $0.lowercased() == "connection: close" })
    // The client has not closed, and the server does not wait for that.
    #expect(await run.value.took < .seconds(20))
    await client.close()
  }

  @Test("before and after it listens, nothing can be asked for, and nothing is ready")
  func closed() async throws {
    let routed = try await RoutedServer()
    await routed.server.startAccepting()
    let client = try await routed.connect()
    for (request, status) in [("POST /shutdown", 503), ("GET /readyz", 503), ("GET /livez", 200), ("GET /status", 404)]
    {
      let before = client.seen.text.utf8.count
      try await client.send("\(request) HTTP/1.1\r\nHost: a\r\n\r\n")
      let seen = try await client.until { $0.text.utf8.count > before && $0.text.hasSuffix("\n") }
      #expect(String(decoding: seen.text.utf8.dropFirst(before), as: UTF8.self).hasPrefix("HTTP/1.1 \(status) "))
    }
    await client.close()
    _ = await routed.server.drain(until: .now + .seconds(10))
  }

  @Test("answers how far it is, when another kind of server that waits for its requests is told to be quiet")
  func quiescing() throws {
    let responder = StopEndpointResponder(.init(), most: 1)
    let lifecycle = Lifecycle("shop")
    responder.attach(to: StopTarget(ask: { _ in }, lifecycle: lifecycle), token: nil)
    let channel = EmbeddedChannel(handler: StopEndpointHandler(responder: responder))
    defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
    try channel.writeInbound(
      HTTPServerRequestPart.head(.init(version: .http1_1, method: .POST, uri: "/shutdown?wait=9s")))
    try channel.writeInbound(HTTPServerRequestPart.end(nil))
    #expect(try channel.readOutbound(as: HTTPServerResponsePart.self) == nil)
    channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    guard case .head(let head)? = try channel.readOutbound(as: HTTPServerResponsePart.self) else {
      Issue.record("no answer")
      return
    }
    #expect(head.status == .accepted && head.headers["connection"] == ["close"])
    #expect(!channel.isActive)
  }

  @Test("sends the 100 that a client waits for, once, and refuses a body that has no end")
  func bodies() async throws {
    let routed = try await RoutedServer()
    let run = try await routed.world.run(on: routed.routes.trigger)
    let large = try await routed.connect()
    try await large.send("POST /shutdown HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\n")
    try await large.send(String(repeating: "x", count: 70_000))
    try await large.until { $0.text.hasPrefix("HTTP/1.1 413 ") && $0.fin }
    await large.close()
    #expect(routed.world.lifecycle.snapshot().state == .running)
    let client = try await routed.connect()
    try await client.send("POST /shutdown HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    try await client.until { $0.text.hasSuffix("\r\n\r\n") }
    try await client.send("{}")
    let seen = try await client.until { $0.fin }
    #expect(seen.count(of: "100 Continue") == 1 && seen.count(of: "202 Accepted") == 1)
    await client.close()
    _ = await run.value
  }

  @Test("works without a lifecycle: the stop is asked for, and whoever waits is told what is true then")
  func alone() async throws {
    let routes = StopRoutes(token: nil)
    let (requests, asked) = AsyncStream.makeStream(of: StopRequest.self)
    let leave = try routes.trigger.listen { asked.yield($0) }
    let channel = EmbeddedChannel(handler: routes.handler())
    try channel.writeInbound(
      HTTPServerRequestPart.head(.init(version: .http1_1, method: .POST, uri: "/shutdown?wait=9s")))
    try channel.writeInbound(HTTPServerRequestPart.end(nil))
    guard case .head(let head)? = try channel.readOutbound(as: HTTPServerResponsePart.self) else {
      Issue.record("no answer")
      return
    }
    #expect(head.status == .accepted)
    for await request in requests {
      #expect(request.source == .http)
      break
    }
    leave()
    _ = try? channel.finish(acceptAlreadyClosed: true)
  }
}
