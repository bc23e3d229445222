import Graceful
import NIOCore
import NIOHTTP1

/// Answers the requests for a ``StopEndpoint`` on one connection, and passes the others on.
///
/// It stands behind whatever gives it one request at a time, and before the user's handlers.
final class StopEndpointHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  /// More of a body than anybody needs who asks for a stop.
  static let longestBody = 64 * 1024
  /// How often a stream is looked after without anybody reading it, before it is given up.
  static let mostUnread = 100

  private enum State {
    case passing
    /// A request of ours is arriving.
    case reading(HTTPRequestHead, body: Int)
    /// It was answered before its end.
    case ignoring
  }

  private let desk: StopDesk
  /// The connection of a server of its own; `nil` on the user's.
  let connection: StopConnection?
  private var state = State.passing
  var reply: Reply?
  /// It is not used for another request: of one on which a stop was asked for, its server does not know any more.
  var isLast = false
  /// Completes when the answer to a request that did not wait is in the kernel.
  private var answered: EventLoopFuture<Void>?

  /// A request that waits for its answer.
  struct Reply {
    var machine = StopReplyStateMachine()
    var request: StopEndpoint.Request
    var head: HTTPRequestHead
    var place: Int?
    var timer: Scheduled<Void>?
    var unread = 0
  }

  init(desk: StopDesk, connection: StopConnection? = nil) {
    self.desk = desk
    self.connection = connection
  }

  // MARK: Requests

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch (unwrapInboundIn(data), state) {
    case (.head(let head), _):
      guard connection != nil || desk.endpoint.answers(head.uri) else {
        state = .passing
        return context.fireChannelRead(data)
      }
      // Only where nothing keeps the next request back until this one is answered; there it would be mixed up with it.
      guard reply == nil, connection?.isAnswered != true else {
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
    perform(.gone, context)
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    reply?.timer?.cancel()
    if let place = reply?.place { desk.forget(place) }
    reply = nil
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    // A server that closes waits for its requests, and this one for the server: what can be said now, is said.
    if event is ChannelShouldQuiesceEvent { perform(.dismissed(desk.answer), context) }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard let connection else { return context.fireErrorCaught(error) }
    connection.refuse(error is HTTPParserError ? .badRequest : nil, context.channel)
  }

  /// Somebody waits for a 100 before he sends a body that nobody needs (RFC 9110 §10.1.1).
  private func expect(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    guard RequestHead.expectsContinue(head) else { return }
    let interim = HTTPResponseHead(version: .http1_1, status: .continue)
    context.writeAndFlush(wrapOutboundOut(.head(interim)), promise: nil)
  }

  private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    let request = StopEndpoint.Request(
      head.method.rawValue, head.uri, headers: head.headers.map { .init($0.name, $0.value) },
      peer: context.channel.peerForPeople)
    guard let verdict = desk.verdict(on: request) else {
      return write(.words("nothing is here", 404), to: head, context)
    }
    guard let stop = verdict.stopRequest else {
      if case .answer(let response) = verdict.next { write(response, to: head, context) }
      return
    }
    mayStop(context) { [self] reason in
      if let reason { return write(.elsewhere(reason), to: head, context) }
      ask(stop, verdict, request, head, context)
    }
  }

  /// A stop of the program is not one of this process only: while a handover is going on, nobody knows whose it would be.
  ///
  /// - Parameter proceed: Called on the loop; at once where nobody takes part in a handover.
  private func mayStop(_ context: ChannelHandlerContext, _ proceed: @escaping (String?) -> Void) {
    let waiting = NIOLoopBound((proceed, context.channel), eventLoop: context.eventLoop)
    let loop = context.eventLoop
    desk.mayStop { reason in
      if loop.inEventLoop { return waiting.value.0(reason) }
      loop.execute {
        // Who has gone meanwhile, has not asked.
        if waiting.value.1.isActive { waiting.value.0(reason) }
      }
    }
  }

  private func ask(
    _ stop: StopRequest, _ verdict: StopEndpoint.Verdict, _ request: StopEndpoint.Request, _ head: HTTPRequestHead,
    _ context: ChannelHandlerContext
  ) {
    // Before the server hears of the stop: whoever asks for its end must not be what it waits for, not even for the
    // client's close after the answer.
    if connection == nil { exempt(context) }
    // Before the stop is asked for, too: one that is over at once would find nobody who waits, and the process would be
    // gone before the answer is written (seen once in 180).
    let place = takePlace(context)
    desk.ask(stop)
    switch verdict.next {
    case .answer(let response):
      let written = context.eventLoop.makePromise(of: Void.self)
      answered = written.futureResult
      if case .waiting(let id) = place {
        written.futureResult.whenComplete { [desk] _ in desk.forget(id) }
      }
      write(response, to: head, context, written)
    case .wait(let limit): begin(.end(within: limit), request, head, place, context)
    case .stream(let limit): begin(.progress(for: limit), request, head, place, context)
    }
  }

  private func takePlace(_ context: ChannelHandlerContext) -> StopDesk.Place {
    let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    return desk.wait { report in bound.eventLoop.flatSubmit { handler.value.ended(report, bound.value) } }
  }

  // MARK: Waiting

  private func begin(
    _ wish: StopReplyStateMachine.Wish, _ request: StopEndpoint.Request, _ head: HTTPRequestHead,
    _ place: StopDesk.Place, _ context: ChannelHandlerContext
  ) {
    reply = Reply(request: request, head: head)
    connection?.waits()
    perform(.begun(wish, desk.answer), context)
    switch place {
    case .waiting(let id):
      guard reply != nil else { return desk.forget(id) }
      reply?.place = id
    case .full: perform(.dismissed(desk.answer), context)
    case .ended: perform(.ended(desk.answer), context)
    }
  }

  private func exempt(_ context: ChannelHandlerContext) {
    isLast = true
    try? context.pipeline.syncOperations.handler(type: ConnectionWatch.self).exempt()
  }

  /// The report is there: completes when the answer is in the kernel.
  private func ended(_ report: LifecycleReport, _ context: ChannelHandlerContext) -> EventLoopFuture<Void> {
    // Answered already: it may be on its way to the kernel.
    guard reply != nil, context.channel.isActive else { return answered ?? context.eventLoop.makeSucceededVoidFuture() }
    let written = context.eventLoop.makePromise(of: Void.self)
    reply?.place = nil
    perform(.ended(StopAnswer(report)), context, written)
    return written.futureResult
  }

  private func perform(
    _ event: StopReplyStateMachine.Event, _ context: ChannelHandlerContext, _ written: EventLoopPromise<Void>? = nil
  ) {
    guard var reply else {
      written?.succeed()
      return
    }
    let actions = reply.machine.receive(event, at: .now)
    self.reply = reply
    var isWritten = false
    for action in actions {
      switch action {
      case .answer(let outcome, let answer):
        write(desk.endpoint.response(to: reply.request, outcome, answer), to: reply.head, context, written)
        isWritten = true
      case .openStream: open(reply.head, context)
      case .say(let answer): say(ServerSentEvent.event(answer, nil), context)
      case .sayNothing: say(ServerSentEvent.comment, context)
      case .closeStream(let outcome, let answer):
        let last = ServerSentEvent.event(answer, outcome)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: last)))), promise: nil)
        end(reply.head, context, written)
        isWritten = true
      case .look(let instant): look(at: instant, context)
      case .ignored: break
      }
    }
    if reply.machine.isDone {
      self.reply?.timer?.cancel()
      if let place = self.reply?.place { desk.forget(place) }
      self.reply = nil
    }
    if !isWritten { written?.succeed() }
  }

  private func look(at instant: ContinuousClock.Instant, _ context: ChannelHandlerContext) {
    // A little later rather than earlier: the one would be asked again at once.
    let delay = max(TimeAmount(ContinuousClock.now.duration(to: instant)), .zero) + .microseconds(100)
    reply?.timer = context.eventLoop.assumeIsolated().scheduleTask(in: delay) {
      self.perform(.looked(self.desk.answer), context)
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
