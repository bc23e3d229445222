import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import GracefulNIO

private func get(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n" }

@Suite("The handlers of a connection that drains")
struct HTTPDrainHandlerTests {
  @Test("One request is delivered at a time, the next one in a turn after the answer")
  func oneAtATime() throws {
    let connection = try EmbeddedConnection()
    try connection.receive(get("/1") + get("/2") + get("/3"))
    #expect(connection.recorder.heads == ["/1"])
    connection.recorder.answer()
    #expect(connection.recorder.heads == ["/1"])
    connection.channel.embeddedEventLoop.run()
    #expect(connection.recorder.heads == ["/1", "/2"])
    connection.recorder.answersAtOnce = true
    connection.recorder.answer()
    connection.channel.embeddedEventLoop.run()
    #expect(connection.recorder.heads == ["/1", "/2", "/3"])
    connection.end()
  }

  @Test("A handler that answers at once gets every request of one read")
  func atOnce() throws {
    let connection = try EmbeddedConnection()
    connection.recorder.answersAtOnce = true
    try connection.receive((1...50).map { get("/\($0)") }.joined())
    #expect(connection.recorder.heads == (1...50).map { "/\($0)" })
    connection.end()
  }

  @Test("While draining only the response with nothing behind it announces the close, a part of a head counts")
  func partialHeadBehind() throws {
    let connection = try EmbeddedConnection()
    try connection.receive(get("/1") + "GET /2 HT")
    connection.tell(DrainSignal.drain)
    connection.recorder.answer()
    #expect(try !connection.sent().lowercased().contains("connection: close"))
    connection.channel.embeddedEventLoop.run()
    try connection.receive("TP/1.1\r\n\r\n\r\n")
    connection.recorder.answer()
    #expect(try connection.sent().lowercased().contains("connection: close"))
    #expect(connection.socket.closedOutput && !connection.socket.closed)
    connection.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
    #expect(connection.socket.closed)
    connection.end()
  }

  @Test("What comes after the announced response reaches neither the parser nor the handler")
  func discarded() throws {
    let connection = try EmbeddedConnection()
    connection.tell(DrainSignal.drain)
    try connection.receive(get("/1"))
    connection.recorder.answer()
    try connection.receive(get("/2") + "\u{0}garbage")
    #expect(connection.recorder.heads == ["/1"] && connection.recorder.errors == 0)
    connection.end()
  }

  @Test("When too much of further requests is held, nothing more is read until it is used up")
  func backPressure() throws {
    var configuration = DrainingHTTP1Configuration()
    configuration.heldBytes = 100
    let connection = try EmbeddedConnection(configuration)
    try connection.receive(
      get("/1") + "POST /2 HTTP/1.1\r\nContent-Length: 90\r\n\r\n" + String(repeating: "b", count: 90))
    let before = connection.socket.reads
    connection.channel.read()
    #expect(connection.socket.reads == before)
    connection.recorder.answer()
    connection.channel.embeddedEventLoop.run()
    #expect(connection.socket.reads == before + 1 && connection.recorder.heads == ["/1", "/2"])
    connection.end()
  }

  @Test("A handler's close after its last response waits for the linger")
  func handlerCloses() throws {
    let connection = try EmbeddedConnection()
    try connection.receive("GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
    connection.recorder.answer()
    connection.recorder.context?.close(promise: nil)
    #expect(connection.socket.closedOutput && !connection.socket.closed)
    connection.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
    #expect(connection.socket.closed)
    connection.end()
  }

  @Test("A handler may close in the middle of a response")
  func handlerAborts() throws {
    let connection = try EmbeddedConnection()
    try connection.receive(get("/"))
    connection.recorder.context?.close(promise: nil)
    #expect(connection.socket.closed)
    connection.end()
  }

  @Test("The answer to a HEAD has no body, whatever its handler writes", arguments: [[:], ["Content-Length": "2"]])
  func head(headers: [String: String]) throws {
    let connection = try EmbeddedConnection()
    try connection.receive("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
    connection.recorder.answer(HTTPHeaders(headers.map { ($0.key, $0.value) }))
    #expect(try connection.sent().hasSuffix("\r\n\r\n"))
    try connection.receive(get("/2"))
    #expect(connection.recorder.heads == ["/", "/2"])
    connection.end()
  }

  @Test("A client of HTTP/1.0 gets no chunks: the close ends the body")
  func oldClient() throws {
    let connection = try EmbeddedConnection()
    try connection.receive("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    connection.recorder.answer([:])
    let text = try connection.sent()
    #expect(text.hasPrefix("HTTP/1.0 200") && text.hasSuffix("\r\n\r\nok") && !text.lowercased().contains("chunked"))
    #expect(text.lowercased().contains("connection: close") && connection.socket.closedOutput)
    connection.end()
  }

  @Test(
    "Behind an upgrade or a CONNECT nothing is parsed, so its answer announces the close",
    arguments: [
      "GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
    ])
  func upgrade(request: String) throws {
    let connection = try EmbeddedConnection()
    try connection.receive(request + get("/2"))
    connection.recorder.answer()
    #expect(try connection.sent().lowercased().contains("connection: close"))
    connection.channel.embeddedEventLoop.run()
    #expect(connection.recorder.heads.count == 1)
    connection.end()
  }

  @Test("A response that does not fit is refused, and the connection serves on")
  func outOfOrder() throws {
    let connection = try EmbeddedConnection()
    func refused(_ part: HTTPServerResponsePart) -> Bool {
      if case .failure(let error)? = connection.recorder.write(part) { return error is ResponseOutOfOrder }
      return false
    }
    let head = HTTPServerResponsePart.head(
      HTTPResponseHead(version: .http1_1, status: .ok, headers: ["Content-Length": "0"]))
    #expect(refused(head) && refused(.end(nil)))
    try connection.receive(get("/1"))
    #expect(refused(.body(.byteBuffer(ByteBuffer(string: "x")))))
    #expect(!refused(head) && refused(head) && !refused(.end(nil)) && refused(.end(nil)))
    #expect(try connection.sent().components(of: "200 OK") == 1)
    try connection.receive(get("/2"))
    #expect(connection.recorder.heads == ["/1", "/2"])
    connection.end()
  }

  @Test("A response head that is no HTTP becomes a 500, and what its handler writes on is dropped")
  func invalidResponse() throws {
    let connection = try EmbeddedConnection()
    try connection.receive(get("/1"))
    connection.recorder.answer(["X": "a\r\nInjected: b"])
    let text = try connection.sent()
    #expect(text.hasPrefix("HTTP/1.1 500 ") && !text.contains("Injected") && text.components(of: "HTTP/1.1") == 1)
    #expect(connection.socket.closedOutput)
    connection.end()
  }

  @Test("A malformed request is answered with 400 and the handler hears of it")
  func malformed() throws {
    let connection = try EmbeddedConnection()
    // EmbeddedChannel throws what reaches the end of its pipeline; the recorder keeps it.
    try connection.receive("G\u{1}T / HTTP/1.1\r\n\r\n")
    #expect(try connection.sent().hasPrefix("HTTP/1.1 400 "))
    #expect(connection.recorder.errors > 0 && connection.recorder.heads.isEmpty && connection.socket.closedOutput)
    connection.end()
  }

  @Test("A FIN behind pipelined requests is seen after them")
  func finBehindRequests() throws {
    let connection = try EmbeddedConnection()
    try connection.receive(get("/1") + get("/2"))
    connection.tell(ChannelEvent.inputClosed)
    connection.recorder.answer()
    connection.channel.embeddedEventLoop.run()
    #expect(connection.recorder.heads == ["/1", "/2"] && !connection.socket.closed)
    connection.recorder.answer()
    #expect(try connection.sent().lowercased().contains("connection: close"))
    #expect(connection.socket.closed)
    connection.end()
  }

  @Test("At the limit an idle connection is half-closed, one with a part of a request is left until the deadline")
  func limit() throws {
    let idle = try EmbeddedConnection()
    idle.tell(DrainSignal.closeIdle)
    #expect(idle.socket.closedOutput)
    let begun = try EmbeddedConnection()
    try begun.receive("GET / HT")
    begun.tell(DrainSignal.closeIdle)
    #expect(!begun.socket.closedOutput)
    begun.tell(DrainSignal.cut)
    #expect(begun.socket.closed)
    idle.end()
    begun.end()
  }
}

extension String {
  fileprivate func components(of part: String) -> Int {
    split(separator: part, omittingEmptySubsequences: false).count - 1
  }
}
