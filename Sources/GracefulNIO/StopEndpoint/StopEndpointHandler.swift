import Graceful
import NIOCore
import NIOHTTP1

/// Answers the requests for a ``StopEndpoint`` on one connection, and passes the others on.
///
/// It stands behind what gives it one request at a time, and before the user's handlers. Of a conversation about a stop it
/// only carries what the state machine decides: status codes, events, and instants of the event loop.
final class StopEndpointHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  /// More of a body than a request for a stop can need.
  static let longestBody = 64 * 1024
  /// How often a stream that is not read is looked after, before it is given up.
  static let mostUnread = 100

  private enum State {
    case passing
    /// A request of ours is arriving.
    case reading(HTTPRequestHead, body: Int)
    /// It was answered before its end.
    case ignoring
  }

  private let responder: StopEndpointResponder
  /// The connection of a server of its own; `nil` on the user's.
  let connection: StopConnection?
  private var state = State.passing
  var conversation: Conversation?
  /// It is not used for another request: of one on which a stop was requested, its server does not know any more.
  var isLast = false
  /// The client has gone, or the pipeline lets go of this handler: nothing can be written any more.
  private var isGone = false

  /// A request for a stop that is not answered yet.
  struct Conversation {
    var machine = StopConversationStateMachine()
    var decision: StopEndpoint.Decision
    var request: StopEndpoint.Request
    var head: HTTPRequestHead
    var place: StopResponder.Place?
    var timer: Scheduled<Void>?
    var isStream = false
    var unread = 0
  }

  init(responder: StopEndpointResponder, connection: StopConnection? = nil) {
    self.responder = responder
    self.connection = connection
  }

  // MARK: Requests

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch (unwrapInboundIn(data), state) {
    case (.head(let head), _):
      guard connection != nil || responder.endpoint.answers(head.uri) else {
        state = .passing
        return context.fireChannelRead(data)
      }
      // Only where nothing keeps the next request back until this one is answered; there it would be mixed up with it.
      guard conversation == nil, connection?.isAnswered != true else {
        state = .ignoring
        return
      }
      state = .reading(head, body: 0)
      expect(head, context)
    case (.body(let part), .reading(let head, let count)):
      state = .reading(head, body: count + part.readableBytes)
      guard count + part.readableBytes > Self.longestBody else { return }
      state = .ignoring
      // What is still coming of it is not worth reading.
      isLast = true
      write(.words("too much", 413), to: head, context)
    case (.end, .reading(let head, _)):
      state = .ignoring
      answer(head, context)
    case (.body, .ignoring), (.end, .ignoring): break
    case (.body, .passing), (.end, .passing): context.fireChannelRead(data)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    leave(context)
    context.fireChannelInactive()
  }

  /// A decision that is still to come keeps the handler, and with it the conversation.
  func handlerRemoved(context: ChannelHandlerContext) { leave(context) }

  private func leave(_ context: ChannelHandlerContext) {
    isGone = true
    perform(.gone, context)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    // A server that closes waits for its requests, and this one for the server: what can be said now, is said.
    if event is ChannelShouldQuiesceEvent { perform(.dismissed(responder.stop.answer), context) }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard let connection else { return context.fireErrorCaught(error) }
    connection.refuse(error is HTTPParserError ? .badRequest : nil, context.channel)
  }

  /// A client may wait for a 100 before it sends a body that is not needed (RFC 9110 §10.1.1).
  private func expect(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    guard RequestHead.expectsContinue(head) else { return }
    let interim = HTTPResponseHead(version: .http1_1, status: .continue)
    context.writeAndFlush(wrapOutboundOut(.head(interim)), promise: nil)
  }

  private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    let request = StopEndpoint.Request(
      head.method.rawValue, head.uri, headers: head.headers.map { .init($0.name, $0.value) },
      peer: context.channel.peerForPeople)
    guard let decision = responder.decision(on: request) else {
      return write(.words("nothing is here", 404), to: head, context)
    }
    if decision.stopRequest == nil, case .answer(let response) = decision.next {
      return write(response, to: head, context)
    }
    conversation = Conversation(decision: decision, request: request, head: head)
    perform(.requested(decision.interest), context)
  }

  // MARK: The conversation

  private func perform(_ event: StopConversationStateMachine.Event, _ context: ChannelHandlerContext) {
    guard let actions = conversation?.machine.receive(event, at: .now) else { return }
    for action in actions { perform(action, context) }
    guard let conversation, conversation.machine.isDone else {
      if conversation?.place == .full { perform(.dismissed(responder.stop.answer), context) }
      if conversation?.place == .ended { perform(.ended(responder.stop.answer), context) }
      return
    }
    conversation.timer?.cancel()
    self.conversation = nil
    // The client has gone without a last word.
    if isGone, case .open(let id)? = conversation.place { responder.stop.close(id) }
  }

  private func perform(_ action: StopConversationStateMachine.Action, _ context: ChannelHandlerContext) {
    guard let conversation else { return }
    switch action {
    case .requestPermission: requestPermission(context)
    case .requestStop: if let request = conversation.decision.stopRequest { requestStop(request, context) }
    case .accept:
      connection?.waits()
      guard case .stream = conversation.decision.next else { break }
      self.conversation?.isStream = true
      open(conversation.head, context)
    case .say(let answer): say(ServerSentEvent.event(answer, nil), context)
    case .sayNothing: say(ServerSentEvent.comment, context)
    case .look(let instant): look(at: instant, context)
    case .finish(let outcome, let answer):
      let written = lastWord(context)
      if conversation.isStream {
        let last = ServerSentEvent.event(answer, outcome)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: last)))), promise: nil)
        return end(conversation.head, context, written)
      }
      // What was decided is written as it was: the user's own code writes an answer once.
      if outcome == .accepted, case .answer(let response) = conversation.decision.next {
        return write(response, to: conversation.head, context, written)
      }
      write(
        responder.endpoint.response(to: conversation.request, outcome, answer), to: conversation.head, context, written)
    case .refuse(let reason): write(.elsewhere(reason), to: conversation.head, context)
    case .snapshot, .ignored: break
    }
  }

  /// - Returns: What completes when the last word is in the kernel; until then the end of the program waits for it.
  private func lastWord(_ context: ChannelHandlerContext) -> EventLoopPromise<Void>? {
    guard case .open(let id)? = conversation?.place else { return nil }
    let written = context.eventLoop.makePromise(of: Void.self)
    written.futureResult.whenComplete { [responder] _ in responder.stop.close(id) }
    return written
  }

  /// A stop of the program is not one of this process only: while a handover is going on, it is not decided whose it is.
  private func requestPermission(_ context: ChannelHandlerContext) {
    let loop = context.eventLoop
    let bound = NIOLoopBound((self, context), eventLoop: loop)
    responder.stop.requestPermission { reason in
      @Sendable func proceed() {
        let (handler, context) = bound.value
        handler.perform(reason.map { .refused($0) } ?? .permitted(handler.responder.stop.answer), context)
      }
      // At once where there is no handover: the answer then leaves in the same turn of the loop.
      if loop.inEventLoop { proceed() } else { loop.execute(proceed) }
    }
  }

  private func requestStop(_ request: StopRequest, _ context: ChannelHandlerContext) {
    // Before the server hears of the stop: it must not wait for the connection that waits for its end, not even for the
    // client's close after the answer.
    if connection == nil, !isGone {
      isLast = true
      try? context.pipeline.syncOperations.handler(type: ConnectionWatch.self).exempt()
    }
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    let loop = context.eventLoop
    // Before the stop is requested, too: a stop that is over at once would find no conversation, and the process be gone
    // before the answer is written (seen once in 180). A client that has gone is told nothing, and nothing waits for it.
    if !isGone {
      conversation?.place = responder.stop.open { answer in
        loop.execute { bound.value.0.perform(.ended(answer), bound.value.1) }
      }
    }
    responder.stop.requestStop(request)
  }

  private func look(at instant: ContinuousClock.Instant, _ context: ChannelHandlerContext) {
    // A little later rather than earlier: the one would be asked again at once.
    let delay = max(TimeAmount(ContinuousClock.now.duration(to: instant)), .zero) + .microseconds(100)
    conversation?.timer = context.eventLoop.assumeIsolated().scheduleTask(in: delay) {
      self.perform(.looked(self.responder.stop.answer), context)
    }
  }
}

extension Channel {
  /// Where a request comes from, for the log and the report.
  var peerForPeople: String? {
    if case .unixDomainSocket? = remoteAddress { "the socket" } else { remoteAddress?.forPeople }
  }
}

extension SocketAddress {
  /// The path, or the address and the port.
  var forPeople: String? {
    if let pathname { return pathname }
    return ipAddress.map { ($0.contains(":") ? "[\($0)]" : $0) + ":\(port ?? 0)" }
  }
}
