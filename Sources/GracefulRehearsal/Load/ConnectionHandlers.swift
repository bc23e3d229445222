internal import NIOCore
internal import NIOHTTP1

/// What a connection tells its client.
enum ConnectionEvent {
  case firstByte
  case head(ResponseHead)
  case body(ByteBuffer)
  case end
  /// The answer is whole, and in the same read there are bytes behind it.
  case bytesBehind
  case closed
  case reset
  /// With what the parser says.
  case malformed(String)
}

/// What matters of the head of an answer.
struct ResponseHead {
  var status: Int
  var headers: HTTPHeaders
  var announcesClose: Bool

  var echoedID: String? { headers.first(name: "x-request-id") }
}

/// Where the answer ends among the bytes of one read, told by the parser to the handler before it.
final class AnswerEnd {
  fileprivate(set) var isReading = false
  fileprivate(set) var hasCome = false
}

/// Tells of bytes before the parser has made sense of them: an answer that was cut within its head had begun.
///
/// The last byte of each read goes to the parser alone. An answer that ends before it has bytes behind it, whatever they
/// are: the parser would take the beginning of a second answer, or an empty line, without a complaint.
final class ByteObserver: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  private let end: AnswerEnd
  private let tell: (ConnectionEvent) -> Void

  init(_ end: AnswerEnd, tell: @escaping (ConnectionEvent) -> Void) {
    self.end = end
    self.tell = tell
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    tell(.firstByte)
    var bytes = unwrapInboundIn(data)
    end.hasCome = false
    end.isReading = true
    if bytes.readableBytes > 1, let most = bytes.readSlice(length: bytes.readableBytes - 1) {
      context.fireChannelRead(wrapInboundOut(most))
    }
    let isEarly = end.hasCome
    if !isEarly { context.fireChannelRead(wrapInboundOut(bytes)) }
    end.isReading = false
    if end.hasCome { tell(isEarly ? .bytesBehind : .end) }
  }
}

/// Turns what the parser and the socket say into events.
final class ResponseHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias OutboundOut = HTTPClientRequestPart
  private let end: AnswerEnd
  private let tell: (ConnectionEvent) -> Void

  init(_ end: AnswerEnd, tell: @escaping (ConnectionEvent) -> Void) {
    self.end = end
    self.tell = tell
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    // What the parser makes of the bytes behind the answer is no part of it.
    guard !isBehind else { return }
    switch unwrapInboundIn(data) {
    case .head(let head):
      tell(.head(ResponseHead(status: Int(head.status.code), headers: head.headers, announcesClose: !head.isKeepAlive)))
    case .body(let bytes): tell(.body(bytes))
    // Within a read, the handler of its bytes knows whether there are more; an answer may also end with its connection.
    case .end: if end.isReading { end.hasCome = true } else { tell(.end) }
    }
  }

  private var isBehind: Bool { end.isReading && end.hasCome }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // The bytes behind the answer are told of as such, whatever the parser says of them.
    guard !isBehind else { return }
    switch error {
    // The parser says that the end came too early: the close itself follows, and says it too.
    case HTTPParserError.invalidEOFState: tell(.closed)
    case is HTTPParserError, is NIOHTTPDecoderError: tell(.malformed("\(error)"))
    default: tell(.reset)
    }
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    tell(.closed)
    context.fireChannelInactive()
  }
}

extension ChannelPipeline.SynchronousOperations {
  /// The handlers of a connection of ours to a server.
  func addClient(_ tell: @escaping (ConnectionEvent) -> Void) throws {
    let end = AnswerEnd()
    try addHandlers([
      ByteObserver(end, tell: tell), HTTPRequestEncoder(), ResponseDecoding.handler(), ResponseHandler(end, tell: tell),
    ])
  }
}
