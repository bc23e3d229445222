import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import GracefulNIO

private let told = "HTTP/1.1 100 Continue\r\n\r\n"

private func post(_ fields: String = "Content-Length: 3\r\n", version: String = "1.1") -> String {
  "POST / HTTP/\(version)\r\nHost: a\r\nExpect: 100-Continue\r\n\(fields)\r\n"
}

extension RequestRecorder {
  fileprivate func write(interim status: HTTPResponseStatus) {
    write(.head(HTTPResponseHead(version: .http1_1, status: status)))
  }
}

@Suite("A request that expects 100-continue")
struct ExpectContinueTests {
  @Test("It is told to continue when its handler says nothing", arguments: [false, true])
  func silentHandler(draining: Bool) throws {
    let connection = try EmbeddedConnection()
    if draining { connection.tell(DrainSignal.drain) }
    try connection.receive(post())
    #expect(try connection.sent() == told)
    try connection.receive("abc")
    connection.recorder.answer()
    let answer = try connection.sent()
    #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.lowercased().contains("connection: close") == draining)
    #expect(connection.recorder.ends == 1 && connection.socket.closedOutput == draining)
    connection.end()
  }

  @Test("A chunked body is invited too")
  func chunked() throws {
    let connection = try EmbeddedConnection()
    try connection.receive(post("Transfer-Encoding: chunked\r\n"))
    #expect(try connection.sent() == told)
    connection.end()
  }

  @Test("A handler that answers before it returns from the head wins")
  func refused() throws {
    let connection = try EmbeddedConnection()
    connection.recorder.atHead = { $0.answer() }
    try connection.receive(post())
    let text = try connection.sent()
    #expect(text.hasPrefix("HTTP/1.1 200 ") && !text.contains("100 Continue"))
    #expect(text.lowercased().contains("connection: close") && connection.socket.closedOutput)
    connection.end()
  }

  @Test("A handler that has begun its response before it returns from the head wins")
  func begun() throws {
    let connection = try EmbeddedConnection()
    connection.recorder.atHead = { $0.write(.head(HTTPResponseHead(version: .http1_1, status: .ok))) }
    try connection.receive(post())
    #expect(try !connection.sent().contains("100 Continue"))
    connection.end()
  }

  @Test("A handler that closes before it returns from the head sends nothing")
  func closed() throws {
    let connection = try EmbeddedConnection()
    connection.recorder.atHead = { $0.context?.close(promise: nil) }
    try connection.receive(post())
    #expect(try connection.sent().isEmpty && connection.socket.closed)
    connection.end()
  }

  @Test("A handler that sends the 100 itself, at once or later, causes no second one", arguments: [true, false])
  func ownContinue(atOnce: Bool) throws {
    let connection = try EmbeddedConnection()
    var result: Result<Void, any Error>?
    let own = HTTPServerResponsePart.head(HTTPResponseHead(version: .http1_1, status: .continue))
    if atOnce { connection.recorder.atHead = { result = $0.write(own) } }
    try connection.receive(post())
    if !atOnce { result = connection.recorder.write(own) }
    #expect(try connection.sent() == told)
    #expect(throws: Never.self) { try result?.get() }
    #expect(result != nil)
    try connection.receive("abc")
    connection.recorder.answer()
    #expect(try connection.sent().hasPrefix("HTTP/1.1 200 "))
    connection.end()
  }

  @Test("Another interim response is not the one that its client waits for")
  func otherInterim() throws {
    let connection = try EmbeddedConnection()
    connection.recorder.atHead = { $0.write(interim: .processing) }
    try connection.receive(post())
    let text = try connection.sent()
    #expect(text.hasPrefix("HTTP/1.1 102 ") && text.hasSuffix(told))
    connection.end()
  }

  @Test("A response that comes after the 100 and before the body leaves the connection open: the body will come")
  func lateRefusal() throws {
    let connection = try EmbeddedConnection()
    try connection.receive(post())
    connection.recorder.answer()
    let text = try connection.sent()
    #expect(text.hasPrefix(told) && !text.lowercased().contains("connection: close"))
    try connection.receive("abc" + post())
    #expect(connection.recorder.heads.count == 2)
    #expect(try connection.sent() == told)
    connection.end()
  }

  @Test("A pipelined request is told only when it is delivered")
  func pipelined() throws {
    let connection = try EmbeddedConnection()
    try connection.receive("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n" + post())
    connection.tell(DrainSignal.drain)
    #expect(try connection.sent().isEmpty)
    connection.recorder.answer()
    let first = try connection.sent()
    #expect(first.hasSuffix("\r\n\r\nok") && !first.lowercased().contains("connection: close"))
    connection.channel.embeddedEventLoop.run()
    #expect(try connection.sent() == told)
    try connection.receive("abc")
    connection.recorder.answer()
    #expect(try connection.sent().lowercased().contains("connection: close"))
    connection.end()
  }

  @Test(
    "Without a body, or from a client of HTTP/1.0, it means nothing",
    arguments: [post(""), post("Content-Length: 0\r\n"), post(version: "1.0")])
  func meaningless(request: String) throws {
    let connection = try EmbeddedConnection()
    try connection.receive(request)
    #expect(connection.recorder.heads.count == 1)
    #expect(try connection.sent().isEmpty)
    connection.end()
  }

  @Test("When the handlers answer it themselves, nothing is said for them")
  func leftToHandlers() throws {
    var configuration = DrainingHTTP1Configuration()
    configuration.answersExpectContinue = false
    let connection = try EmbeddedConnection(configuration)
    try connection.receive(post())
    #expect(try connection.sent().isEmpty)
    connection.recorder.write(interim: .continue)
    #expect(try connection.sent() == told)
    connection.end()
  }
}
