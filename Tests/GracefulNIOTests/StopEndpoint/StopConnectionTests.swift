import Exploration
import Graceful
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Synchronization
import Testing

@testable import GracefulNIO

/// One connection of the stop endpoint's own server, without a socket.
private struct EmbeddedStop {
  let channel = EmbeddedChannel()
  let socket = SocketStandIn()
  let responder: StopEndpointResponder
  let lifecycle = Lifecycle("shop")

  init(token: String? = StopWorld.token, limits: StopServerLimits = .init(), ask: @escaping @Sendable () -> Void = {})
    throws
  {
    var endpoint = StopEndpoint()
    endpoint.stopsOnGet = true
    responder = StopEndpointResponder(endpoint, most: limits.waiting)
    responder.attach(to: StopTarget(ask: { _ in ask() }, lifecycle: lifecycle), token: token.flatMap { StopToken($0) })
    try channel.pipeline.syncOperations.addHandler(socket)
    try StopServer.addHandlers(to: channel, responder: responder, limits: limits, whenWaiting: {})
    channel.connect(to: try SocketAddress(unixDomainSocketPath: "/a"), promise: nil)
  }

  func receive(_ bytes: [UInt8]) { _ = try? channel.writeInbound(ByteBuffer(bytes: bytes)) }
  func receive(_ text: String) { receive(Array(text.utf8)) }

  func sent() -> String {
    var text = ""
    while let part = try? channel.readOutbound(as: IOData.self) {
      if case .byteBuffer(let buffer) = part { text += String(buffer: buffer) }
    }
    while let part = try? channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: part) }
    return text
  }

  func pass(_ time: TimeAmount) { channel.embeddedEventLoop.advanceTime(by: time) }

  func end() {
    pass(.seconds(10))
    _ = try? channel.finish(acceptAlreadyClosed: true)
  }
}

@Suite("A connection of the stop endpoint")
struct StopConnectionTests {
  @Test("carries one request, announces its end, and lingers until the client closes")
  func oneRequest() throws {
    let stop = try EmbeddedStop()
    stop.receive("GET /livez HTTP/1.1\r\nHost: a\r\n\r\nGET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
    let sent = stop.sent()
    #expect(sent.hasPrefix("HTTP/1.1 200 OK\r\n"))
    #expect(sent.contains("Connection: close") && sent.hasSuffix("\r\n\r\nalive\n"))
    #expect(sent.split(separator: "HTTP/1.1").count == 1)
    #expect(stop.socket.closedOutput && !stop.socket.closed)
    stop.receive("more")
    stop.pass(.seconds(1))
    #expect(stop.socket.closed)
    stop.end()
  }

  @Test(
    "is answered 400 to whatever is no HTTP",
    arguments: ["\u{16}\u{3}\u{1}", "GRACEFUL\u{0}", "PRI * HTTP/2.0\r\n\r\n", "GET /\r\n\r\n"])
  func garbage(text: String) throws {
    let stop = try EmbeddedStop()
    stop.receive(text + String(repeating: "\u{0}", count: 100))
    #expect(stop.sent().hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
    stop.end()
    #expect(stop.socket.closed)
  }

  @Test("is answered 408 when its request does not come in time, however slowly it comes")
  func slow() throws {
    let stop = try EmbeddedStop()
    for byte in "GET /l" {
      stop.receive(String(byte))
      stop.pass(.milliseconds(800))
    }
    #expect(!stop.socket.closedOutput)
    stop.receive("i")
    stop.pass(.milliseconds(300))
    #expect(stop.sent().hasPrefix("HTTP/1.1 408 "))
    stop.end()
    #expect(stop.socket.closed)
  }

  @Test("is answered 431 when its request has too many bytes, and nothing of it is kept")
  func large() throws {
    for text in [
      "GET /livez HTTP/1.1\r\nX: " + String(repeating: "a", count: 16_384),
      "GET /" + String(repeating: "a", count: 20_000),
      String(repeating: "POST /shutdown HTTP/1.1\r\nContent-Length: 99999\r\n", count: 1) + "\r\n"
        + String(repeating: "b", count: 16_384),
    ] {
      let stop = try EmbeddedStop()
      for start in stride(from: 0, to: text.utf8.count, by: 1000) {
        stop.receive(Array(Array(text.utf8)[start..<min(start + 1000, text.utf8.count)]))
      }
      #expect(stop.sent().hasPrefix("HTTP/1.1 431 "))
      stop.end()
      #expect(stop.socket.closed)
    }
  }

  @Test("has its request answered although it says more than that")
  func head() throws {
    let stop = try EmbeddedStop()
    stop.receive("HEAD /readyz HTTP/1.1\r\nHost: a\r\n\r\n")
    let sent = stop.sent()
    #expect(sent.hasPrefix("HTTP/1.1 503 ") && sent.hasSuffix("\r\n\r\n") && sent.contains("Content-Length: 9\r\n"))
    stop.end()
  }

  @Test("asks for nothing before its request is complete, and gets the 100 that it waits for")
  func expectation() throws {
    let counter = Counter()
    let stop = try EmbeddedStop(ask: { counter.add() })
    stop.receive(
      "POST /shutdown HTTP/1.1\r\nHost: a\r\nX-Stop-Token: \(StopWorld.token)\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    )
    #expect(stop.sent() == "HTTP/1.1 100 Continue\r\n\r\n")
    #expect(counter.value == 0)
    stop.receive("{}")
    #expect(stop.sent().hasPrefix("HTTP/1.1 202 Accepted\r\n"))
    #expect(counter.value == 1)
    stop.end()
  }

  @Test("requests the stop although its client has gone before it was permitted, and keeps no place for the answer")
  func goneBeforePermission() throws {
    let counter = Counter()
    let stop = try EmbeddedStop(token: nil, ask: { counter.add() })
    let decide = Mutex<(@Sendable (String?) -> Void)?>(nil)
    stop.lifecycle.succession.join(
      .init(refusal: { nil }, requestPermission: { answer in decide.withLock { $0 = answer } }))
    stop.receive("POST /shutdown?wait=30s HTTP/1.1\r\nHost: a\r\n\r\n")
    _ = try? stop.channel.finish()
    #expect(counter.value == 0)
    let answer = try #require(decide.withLock { $0 })
    answer(nil)
    #expect(counter.value == 1)
    #expect(stop.responder.stop.open { _ in } == .open(1))
  }

  @Test("closes when its client does before it has asked")
  func halfClosed() throws {
    let stop = try EmbeddedStop()
    stop.receive("POST /shutdown HTTP/1.1\r\n")
    stop.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    #expect(stop.socket.closedOutput)
    stop.end()
    #expect(stop.socket.closed)
  }

  @Test("never traps, asks for nothing, and comes to an end, whatever it is sent")
  func fuzz() throws {
    var random = SplitMix64(seed: 11)
    let counter = Counter()
    let pieces = [
      "GET", "POST", "HEAD", " ", "/shutdown", "/livez", "/status", "?wait=30s", " HTTP/1.1", " HTTP/1.0", " HTTP/9.9",
      "\r\n", "\n", "\r\n\r\n", "Host: a\r\n", "Content-Length: 5\r\n", "Content-Length: -1\r\n",
      "Content-Length: 99999999999999999999\r\n", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n",
      "ffffffffff\r\n",
      "Expect: 100-continue\r\n", "Upgrade: h2c\r\nConnection: upgrade\r\n", "Accept: text/event-stream\r\n",
      "Authorization: Bearer x\r\n", "X-Stop-Token: \r\n", ": x\r\n", " folded\r\n", "\u{0}",
      "CONNECT a:1 HTTP/1.1\r\n\r\n",
    ]
    for round in 0..<3_000 {
      let stop = try EmbeddedStop(ask: { counter.add() })
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 1...12, using: &random) {
        if Int.random(in: 0..<6, using: &random) == 0 {
          bytes += (0..<Int.random(in: 1...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        } else {
          bytes += Array((pieces.randomElement(using: &random) ?? "").utf8)
        }
      }
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = min(rest.count, Int.random(in: 1...64, using: &random))
        stop.receive(Array(rest.prefix(count)))
        rest = rest.dropFirst(count)
      }
      let sent = stop.sent()
      #expect(sent.isEmpty || sent.hasPrefix("HTTP/1.1 "), "round \(round): \(bytes)")
      stop.end()
      #expect(stop.socket.closed, "round \(round): \(bytes)")
    }
    #expect(counter.value == 0)
  }
}

private final class Counter: Sendable {
  private let count = Atomic(0)
  var value: Int { count.load(ordering: .relaxed) }
  func add() { count.add(1, ordering: .relaxed) }
}
