/// What one HTTP/1 connection may do next: which request is admitted, which response announces the close, and how it
/// ends.
///
/// One request at a time. While draining, a response announces the close exactly if nothing is known to lie behind
/// its request (RFC 9112 §9.6: what follows an announced close is not processed). After the last response:
/// half-close, read and discard until the client's FIN or the end of the linger, close.
struct HTTPDrainStateMachine: Equatable, Sendable {
  private enum Announced: Equatable, Sendable {
    case no
    /// Because we drain: the request's body is still read to its end.
    case draining
    /// Because of the request or of its handler: what is left of the body is discarded.
    case asked
  }

  private enum Response: Equatable, Sendable {
    case awaited
    case begun(Announced)
    /// Before the request has.
    case ended(Announced)
  }

  private struct Exchange: Equatable, Sendable {
    var clientCloses: Bool
    var awaitsContinue: Bool
    /// By us and not by the handler.
    var toldToContinue = false
    var requestOpen = true
    var response = Response.awaited
  }

  private struct Ending: Equatable, Sendable {
    var kind: ConnectionEnding
    var linger: Linger
  }

  private enum State: Equatable, Sendable {
    case idle
    case exchange(Exchange)
    /// The last bytes are on their way to the kernel.
    case flushing(Ending)
    /// Half-closed: what comes is discarded.
    case lingering(Ending)
    case closing(Ending)
    case closed
  }

  private let answersExpectContinue: Bool
  private var state = State.idle
  private var isDraining = false
  private var inputHasEnded = false
  private var idleLimitReached = false

  init(answersExpectContinue: Bool) {
    self.answersExpectContinue = answersExpectContinue
  }

  /// A response head has been written and its end has not: parts of a body may be written.
  var isResponding: Bool {
    guard case .exchange(let exchange) = state, case .begun = exchange.response else { return false }
    return true
  }

  /// The last response is complete, and the channel is closed in time.
  var isEnding: Bool {
    switch state {
    case .flushing, .lingering: true
    case .idle, .exchange, .closing, .closed: false
    }
  }

  /// A request, or what is left of one, is for the handler.
  var takesRequests: Bool {
    switch state {
    case .idle, .exchange: true
    case .flushing, .lingering, .closing, .closed: false
    }
  }

  mutating func receive(_ event: Event) -> [Action] {
    note(event)
    switch (state, event) {
    case (.idle, .requestHead(let closes, let expectsContinue)):
      state = .exchange(Exchange(clientCloses: closes, awaitsContinue: expectsContinue))
      return []
    case (.idle, .requestMalformed):
      return finish(.finished, with: [.answer(.badRequest)])
    case (.idle, .inputClosed):
      return finish(.finished)
    case (.idle, .drain):
      return []
    case (.idle, .idleLimit(followed: false)):
      return finish(.closedIdle, linger: .brief)
    case (.idle, .idleLimit(followed: true)):
      return []
    case (.idle, .deadline(let followed)):
      return close(followed ? .cut : .closedIdle)
    case (.idle, .channelClosed):
      return end(.finished)
    case (.idle, .headHandled), (.idle, .requestEnd), (.idle, .interimHead), (.idle, .responseHead),
      (.idle, .responseEnd), (.idle, .responseRefused), (.idle, .flushed), (.idle, .lingerEnded):
      return [.ignored(reason: "no request is in flight")]

    case (.exchange(let exchange), .headHandled):
      return headHandled(exchange)
    case (.exchange(let exchange), .requestEnd):
      return requestEnded(exchange)
    case (.exchange(let exchange), .requestMalformed):
      return requestBroke(exchange)
    case (.exchange(let exchange), .interimHead(let continues)):
      return interimHead(exchange, continues: continues)
    case (.exchange(let exchange), .responseHead(let closes, let followed)):
      return responseHead(exchange, closes: closes, followed: followed)
    case (.exchange(let exchange), .responseEnd):
      return responseEnded(exchange)
    case (.exchange, .responseRefused(begun: false)):
      return finish(.finished, with: [.answer(.internalServerError)])
    case (.exchange, .responseRefused(begun: true)):
      return finish(.broken)
    case (.exchange, .inputClosed), (.exchange, .drain), (.exchange, .idleLimit):
      return []
    case (.exchange, .deadline):
      return close(.cut)
    case (.exchange, .channelClosed):
      return end(.broken)
    case (.exchange, .requestHead):
      return [.ignored(reason: "a request is in flight already")]
    case (.exchange, .flushed), (.exchange, .lingerEnded):
      return [.ignored(reason: "the connection is not ending")]

    case (.flushing(let ending), .flushed):
      return flushed(ending)
    case (.flushing, .deadline):
      return close(.cut)
    case (.flushing(let ending), .channelClosed):
      return end(ending.kind == .finished ? .broken : ending.kind)
    case (.lingering(let ending), .inputClosed), (.lingering(let ending), .lingerEnded),
      (.lingering(let ending), .deadline):
      return close(ending.kind)
    case (.lingering(let ending), .channelClosed), (.closing(let ending), .channelClosed):
      return end(ending.kind)
    case (.flushing, .drain), (.flushing, .idleLimit), (.flushing, .inputClosed), (.flushing, .requestMalformed),
      (.lingering, .drain), (.lingering, .idleLimit), (.lingering, .requestMalformed):
      return []
    case (.closing, .drain), (.closing, .idleLimit), (.closing, .deadline), (.closing, .inputClosed),
      (.closing, .requestMalformed), (.closing, .flushed), (.closing, .lingerEnded):
      return []
    case (.closed, .drain), (.closed, .idleLimit), (.closed, .deadline), (.closed, .inputClosed),
      (.closed, .requestMalformed), (.closed, .flushed), (.closed, .lingerEnded), (.closed, .channelClosed):
      return []
    case (.flushing, .headHandled), (.lingering, .headHandled), (.closing, .headHandled), (.closed, .headHandled):
      // The handler answered or closed before it returned.
      return []
    case (.flushing, .lingerEnded), (.lingering, .flushed):
      return [.ignored(reason: "it was not asked for")]
    case (.flushing, .requestHead), (.lingering, .requestHead), (.closing, .requestHead), (.closed, .requestHead),
      (.flushing, .requestEnd), (.lingering, .requestEnd), (.closing, .requestEnd), (.closed, .requestEnd):
      return [.ignored(reason: "the connection is ending, what comes is discarded")]
    case (.flushing, .interimHead), (.lingering, .interimHead), (.closing, .interimHead), (.closed, .interimHead),
      (.flushing, .responseHead), (.lingering, .responseHead), (.closing, .responseHead), (.closed, .responseHead),
      (.flushing, .responseEnd), (.lingering, .responseEnd), (.closing, .responseEnd), (.closed, .responseEnd),
      (.flushing, .responseRefused), (.lingering, .responseRefused), (.closing, .responseRefused),
      (.closed, .responseRefused):
      return [.ignored(reason: "the last response of the connection is complete")]
    }
  }
}

extension HTTPDrainStateMachine {
  /// What holds in every state.
  private mutating func note(_ event: Event) {
    switch event {
    case .drain: isDraining = true
    case .idleLimit, .deadline: (isDraining, idleLimitReached) = (true, true)
    case .inputClosed: inputHasEnded = true
    case .requestHead, .headHandled, .requestEnd, .requestMalformed, .interimHead, .responseHead, .responseEnd,
      .responseRefused, .flushed, .lingerEnded, .channelClosed:
      break
    }
  }

  private mutating func requestEnded(_ old: Exchange) -> [Action] {
    guard old.requestOpen else { return [.ignored(reason: "the request has ended already")] }
    var exchange = old
    exchange.requestOpen = false
    state = .exchange(exchange)
    guard case .ended(let announced) = exchange.response else { return [] }
    return exchangeEnded(announced)
  }

  private mutating func requestBroke(_ exchange: Exchange) -> [Action] {
    guard exchange.requestOpen else { return [.ignored(reason: "the request has ended already")] }
    switch exchange.response {
    case .awaited: return finish(.finished, with: [.answer(.badRequest)])
    case .begun: return finish(.broken)
    case .ended: return finish(.finished)
    }
  }

  /// A client that waits for its 100 must get one or a response (RFC 9110 §10.1.1), and its handler, which could have
  /// refused the body, has not.
  private mutating func headHandled(_ old: Exchange) -> [Action] {
    guard answersExpectContinue, old.awaitsContinue, old.requestOpen, old.response == .awaited else { return [] }
    var exchange = old
    (exchange.awaitsContinue, exchange.toldToContinue) = (false, true)
    state = .exchange(exchange)
    return [.sendContinue]
  }

  private mutating func interimHead(_ old: Exchange, continues: Bool) -> [Action] {
    guard old.response == .awaited else { return [.ignored(reason: "the response has begun already")] }
    guard continues else { return [.sendInterim] }
    guard !old.toldToContinue else { return [.dropInterim] }
    var exchange = old
    exchange.awaitsContinue = false
    state = .exchange(exchange)
    return [.sendInterim]
  }

  private mutating func responseHead(_ old: Exchange, closes: Bool, followed: Bool) -> [Action] {
    guard old.response == .awaited else { return [.ignored(reason: "the response has begun already")] }
    // A client that was not told to continue may leave its body out, or may not: what comes next on the connection
    // could be either (RFC 9110 §10.1.1).
    let unclearFraming = old.awaitsContinue && old.requestOpen
    let announced: Announced =
      if closes || old.clientCloses || inputHasEnded || unclearFraming {
        .asked
      } else if isDraining && !followed {
        .draining
      } else {
        .no
      }
    var exchange = old
    exchange.response = .begun(announced)
    state = .exchange(exchange)
    return [.sendHead(announcingClose: announced != .no)]
  }

  private mutating func responseEnded(_ old: Exchange) -> [Action] {
    guard case .begun(let announced) = old.response else { return [.ignored(reason: "no response is under way")] }
    guard old.requestOpen && announced != .asked else { return exchangeEnded(announced) }
    var exchange = old
    exchange.response = .ended(announced)
    state = .exchange(exchange)
    return []
  }

  private mutating func exchangeEnded(_ announced: Announced) -> [Action] {
    guard announced == .no && !inputHasEnded else { return finish(.finished) }
    state = .idle
    return idleLimitReached ? [.admitNext, .checkIdle] : [.admitNext]
  }

  private mutating func flushed(_ ending: Ending) -> [Action] {
    // NIO turns the half-close of a channel whose input has ended into a full close; here everything is flushed.
    guard !inputHasEnded else { return close(ending.kind) }
    state = .lingering(ending)
    return [.closeOutput, .startLinger(ending.linger)]
  }

  private mutating func finish(
    _ kind: ConnectionEnding, linger: Linger = .full, with actions: [Action] = []
  ) -> [Action] {
    state = .flushing(Ending(kind: kind, linger: linger))
    return actions + [.discardInput, .awaitFlush]
  }

  private mutating func close(_ kind: ConnectionEnding) -> [Action] {
    state = .closing(Ending(kind: kind, linger: .brief))
    return [.close]
  }

  private mutating func end(_ kind: ConnectionEnding) -> [Action] {
    state = .closed
    return [.ended(kind)]
  }
}
