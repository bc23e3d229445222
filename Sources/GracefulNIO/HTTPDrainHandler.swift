import NIOCore
import NIOHTTP1

/// Performs what the ``HTTPDrainStateMachine`` decides for one connection.
///
/// It stands behind the HTTP decoder and encoder and before the user's handlers, in the place of NIO's pipelining
/// handler.
final class HTTPDrainHandler: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  private let feed: RequestFeed
  private let configuration: DrainingHTTP1Configuration
  private var machine: HTTPDrainStateMachine
  private var watch: ConnectionWatch?
  /// The request that was delivered last.
  private var request = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/")
  private var lingering: Scheduled<Void>?
  /// An error that arrives while this handler writes is about the response.
  private var isWriting = false
  private var refused = false

  init(feed: RequestFeed, configuration: DrainingHTTP1Configuration) {
    self.feed = feed
    self.configuration = configuration
    machine = HTTPDrainStateMachine(answersExpectContinue: configuration.answersExpectContinue)
  }

  func handlerAdded(context: ChannelHandlerContext) {
    watch = try? context.pipeline.syncOperations.handler(type: ConnectionWatch.self)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    lingering?.cancel()
    watch = nil
  }

  // MARK: Requests

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let event: HTTPDrainStateMachine.Event?
    var isHead = false
    switch unwrapInboundIn(data) {
    case .head(let head):
      (request, isHead) = (head, true)
      feed.headDelivered(RequestHead.framing(head))
      event = .requestHead(closes: RequestHead.closes(head), expectsContinue: RequestHead.expectsContinue(head))
    case .body:
      event = nil
    case .end:
      feed.endDelivered()
      event = .requestEnd
    }
    guard machine.takesRequests else { return }
    // The end of a request can be what ends the exchange: the handler sees it before the next request is admitted.
    let actions = event.map { machine.receive($0) } ?? []
    context.fireChannelRead(data)
    perform(actions, context)
    // Only now is it known that the handler leaves an expectation to us.
    if isHead { receive(.headHandled, context) }
  }

  func channelInactive(context: ChannelHandlerContext) {
    receive(.channelClosed, context)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if isWriting {
      refused = true
    } else if error is HTTPParserError || error is RequestCut.Disagreement || error is ByteToMessageDecoderError {
      receive(.requestMalformed, context)
    }
    context.fireErrorCaught(error)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case ChannelEvent.inputClosed: receive(.inputClosed, context)
    case let signal as DrainSignal:
      switch signal.kind {
      case .drain: receive(.drain, context)
      case .closeIdle: receive(.idleLimit(followed: feed.isArriving), context)
      case .cut: receive(.deadline(followed: feed.isArriving), context)
      }
    default: break
    }
    context.fireUserInboundEventTriggered(event)
  }

  // MARK: Responses

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    switch unwrapOutboundIn(data) {
    case .head(let head) where ResponseHead.isInterim(head):
      writeInterim(head, context, promise)
    case .head(let head):
      writeHead(ResponseHead.fitted(head, to: request), context, promise)
    case .body:
      guard machine.isResponding else { return refuse(promise) }
      // What answers a HEAD has no body, whatever its handler writes (RFC 9110 §9.3.2).
      guard request.method != .HEAD else {
        promise?.succeed()
        return
      }
      context.write(data, promise: promise)
    case .end:
      writeEnd(data, context, promise)
    }
  }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    // Handlers close after their last response, or at an error that was answered here. Closing now would reset the
    // connection under the answer: the channel is closed when its client has it.
    guard machine.isEnding, mode != .input else {
      context.close(mode: mode, promise: promise)
      return
    }
    context.channel.closeFuture.cascade(to: promise)
  }

  private func writeInterim(
    _ head: HTTPResponseHead, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?
  ) {
    switch machine.receive(.interimHead(continues: head.status == .continue)).first {
    case .sendInterim?: context.write(wrapOutboundOut(.head(head)), promise: promise)
    case .dropInterim?: promise?.succeed()
    default: refuse(promise)
    }
  }

  private func writeHead(
    _ head: HTTPResponseHead, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?
  ) {
    let closes = ResponseHead.closes(head, to: request)
    let actions = machine.receive(.responseHead(closes: closes, followed: closes || feed.isFollowed))
    guard case .sendHead(let announcingClose)? = actions.first else { return refuse(promise) }
    let announced = ResponseHead.announcing(close: announcingClose, in: head, to: request)
    writeChecked(wrapOutboundOut(.head(announced)), context, promise)
    if refused { receive(.responseRefused(begun: false), context) }
  }

  private func writeEnd(_ data: NIOAny, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
    guard machine.isResponding else { return refuse(promise) }
    // NIO's encoder ends a HEAD's answer with the last chunk of a body that it must not have. An empty part is nothing.
    writeChecked(request.method == .HEAD ? wrapOutboundOut(.body(.byteBuffer(ByteBuffer()))) : data, context, promise)
    receive(refused ? .responseRefused(begun: true) : .responseEnd, context)
  }

  private func writeChecked(_ data: NIOAny, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
    (isWriting, refused) = (true, false)
    context.write(data, promise: promise)
    isWriting = false
  }

  private func refuse(_ promise: EventLoopPromise<Void>?) {
    promise?.fail(ResponseOutOfOrder())
  }

  // MARK: Performing actions

  private func receive(_ event: HTTPDrainStateMachine.Event, _ context: ChannelHandlerContext) {
    perform(machine.receive(event), context)
  }

  private func perform(_ actions: [HTTPDrainStateMachine.Action], _ context: ChannelHandlerContext) {
    for action in actions {
      switch action {
      case .sendHead, .sendInterim, .dropInterim, .ignored: break
      case .sendContinue: feed.writeAndFlush(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n"), promise: nil)
      case .admitNext: feed.admitNext()
      case .answer(let answer): feed.writeAndFlush(answer.bytes, promise: nil)
      case .discardInput: feed.discardInput()
      case .awaitFlush: awaitFlush(context)
      case .closeOutput: context.close(mode: .output, promise: nil)
      case .startLinger(let linger): startLinger(linger, context)
      case .close: context.close(promise: nil)
      case .checkIdle: receive(.idleLimit(followed: feed.isArriving), context)
      case .ended(let ending):
        lingering?.cancel()
        watch?.note(ending)
      }
    }
  }

  private func awaitFlush(_ context: ChannelHandlerContext) {
    let promise = context.eventLoop.makePromise(of: Void.self)
    promise.futureResult.assumeIsolated().whenSuccess { self.receive(.flushed, context) }
    feed.writeAndFlush(ByteBuffer(), promise: promise)
  }

  private func startLinger(_ linger: HTTPDrainStateMachine.Linger, _ context: ChannelHandlerContext) {
    let time = TimeAmount(linger == .full ? configuration.linger : configuration.briefLinger)
    lingering = context.eventLoop.assumeIsolated().scheduleTask(in: time) { self.receive(.lingerEnded, context) }
  }
}

/// A handler wrote a part of a response that does not fit: no request is in flight, a second head, a body without
/// one, or after the last response of the connection.
struct ResponseOutOfOrder: Error, Equatable, CustomStringConvertible {
  var description: String { "a part of an HTTP response was written that answers no request; it was dropped" }
}

extension HTTPDrainStateMachine.Answer {
  /// Complete responses that announce the close.
  var bytes: ByteBuffer {
    let status =
      switch self {
      case .badRequest: "400 Bad Request"
      case .internalServerError: "500 Internal Server Error"
      }
    return ByteBuffer(string: "HTTP/1.1 \(status)\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
  }
}
