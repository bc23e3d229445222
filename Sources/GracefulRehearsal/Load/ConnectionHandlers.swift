internal import NIOCore
internal import NIOHTTP1

/// What a connection tells its client.
enum ConnectionEvent {
  case firstByte
  case head(status: Int, echoedID: String?, announcesClose: Bool)
  case body(ByteBuffer)
  case end
  case closed
  case reset
  case malformed
}

/// Tells of bytes before the parser has made sense of them: an answer that was cut within its head had begun.
final class ByteObserver: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let tell: (ConnectionEvent) -> Void

  init(tell: @escaping (ConnectionEvent) -> Void) {
    self.tell = tell
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    tell(.firstByte)
    context.fireChannelRead(data)
  }
}

/// Turns what the parser and the socket say into events.
final class ResponseHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias OutboundOut = HTTPClientRequestPart
  private let tell: (ConnectionEvent) -> Void

  init(tell: @escaping (ConnectionEvent) -> Void) {
    self.tell = tell
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      tell(
        .head(
          status: Int(head.status.code), echoedID: head.headers.first(name: "x-request-id"),
          announcesClose: !head.isKeepAlive))
    case .body(let bytes): tell(.body(bytes))
    case .end: tell(.end)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    switch error {
    // The parser says that the end came too early: the close itself follows, and says it too.
    case HTTPParserError.invalidEOFState: tell(.closed)
    case is HTTPParserError: tell(.malformed)
    default: tell(.reset)
    }
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    tell(.closed)
    context.fireChannelInactive()
  }
}
