import NIOCore
import NIOEmbedded
import NIOHTTP1

@testable import GracefulNIO

/// Keeps what it is given, and answers when it is told to.
final class RequestRecorder: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  var heads: [String] = []
  var ends = 0
  var errors = 0
  var readCompletes = 0
  var answersAtOnce = false
  /// What the handler does before it returns from a head.
  var atHead: ((RequestRecorder) -> Void)?
  var context: ChannelHandlerContext?

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }
  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      heads.append(head.uri)
      atHead?(self)
    case .body: break
    case .end:
      ends += 1
      if answersAtOnce { answer() }
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) { readCompletes += 1 }
  func errorCaught(context: ChannelHandlerContext, error: any Error) { errors += 1 }

  func answer(_ headers: HTTPHeaders = ["Content-Length": "2"], version: HTTPVersion = .http1_1) {
    write(.head(HTTPResponseHead(version: version, status: .ok, headers: headers)))
    write(.body(.byteBuffer(ByteBuffer(string: "ok"))))
    write(.end(nil))
  }

  @discardableResult
  func write(_ part: HTTPServerResponsePart) -> Result<Void, any Error>? {
    guard let context else { return nil }
    let promise = context.eventLoop.makePromise(of: Void.self)
    var result: Result<Void, any Error>?
    promise.futureResult.assumeIsolated().whenComplete { result = $0 }
    context.writeAndFlush(wrapOutboundOut(part), promise: promise)
    return result
  }
}

/// Counts the reads that reach the socket, and what is closed.
///
/// EmbeddedChannel cannot half-close.
final class SocketStandIn: ChannelOutboundHandler {
  typealias OutboundIn = Any
  var reads = 0
  var closedOutput = false
  var closed = false

  func read(context: ChannelHandlerContext) { reads += 1 }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    guard mode == .all else {
      closedOutput = true
      promise?.succeed()
      return
    }
    closed = true
    context.close(mode: mode, promise: promise)
  }
}

struct EmbeddedConnection {
  let channel = EmbeddedChannel()
  let recorder = RequestRecorder()
  let socket = SocketStandIn()

  init(_ configuration: DrainingHTTP1Configuration = .init()) throws {
    try channel.pipeline.syncOperations.addHandler(socket)
    try channel.pipeline.syncOperations.addDrainingHTTP1Server(configuration: configuration)
    try channel.pipeline.syncOperations.addHandler(recorder)
    channel.pipeline.fireChannelActive()
  }

  func receive(_ text: String) throws { try channel.writeInbound(ByteBuffer(string: text)) }

  func tell(_ event: any Sendable) { channel.pipeline.fireUserInboundEventTriggered(event) }

  /// What was written since the last look.
  func sent() throws -> String {
    var text = ""
    while let part = try channel.readOutbound(as: IOData.self) {
      if case .byteBuffer(let buffer) = part { text += String(buffer: buffer) }
    }
    return text
  }

  /// Nothing waits for a linger then.
  func end() {
    channel.embeddedEventLoop.advanceTime(by: .seconds(2))
    _ = try? channel.finish(acceptAlreadyClosed: true)
  }
}
