// What is said to the state machine of a connection, and what it says.

extension HTTPDrainStateMachine {
  /// What happened on the connection.
  enum Event: Equatable, Sendable {
    /// `closes`: the client wants the connection closed after the response, or nothing can be parsed behind this
    /// request.
    case requestHead(closes: Bool, expectsContinue: Bool)
    /// The handler has returned from the head of the request.
    case headHandled
    case requestEnd
    case requestMalformed
    /// The client's FIN, after everything that came before it.
    case inputClosed
    /// `continues`: it is a 100, which a client that expects it waits for; no other one lets it go on.
    case interimHead(continues: Bool)
    /// `closes`: the handler wants the close, or the close is what ends the body. `followed`: bytes of a further
    /// request are here, or it cannot be said that none are.
    case responseHead(closes: Bool, followed: Bool)
    case responseEnd
    /// What the handler wrote is no valid HTTP; `begun` when its head is on its way already.
    case responseRefused(begun: Bool)
    case flushed, lingerEnded
    case drain
    case idleLimit(followed: Bool)
    case deadline(followed: Bool)
    case channelClosed
  }

  /// What is to be done about it.
  enum Action: Equatable, Sendable {
    case admitNext
    case sendHead(announcingClose: Bool)
    case sendInterim
    /// The handler's 100 comes after a 100 of this machine's.
    case dropInterim
    /// A 100 that no handler wrote.
    case sendContinue
    /// The whole of a response that no handler wrote.
    case answer(Answer)
    case discardInput
    /// Says `flushed` when everything that was written is in the kernel.
    case awaitFlush
    case closeOutput
    case startLinger(Linger)
    case close
    /// Asks again whether the connection is idle: says `idleLimit`.
    case checkIdle
    case ended(ConnectionEnding)
    /// The event cannot happen in this state; it was ignored.
    case ignored(reason: String)
  }

  enum Answer: Equatable, Sendable {
    case badRequest
    case internalServerError
  }

  /// How long bytes are read and discarded after the half-close.
  enum Linger: Equatable, Sendable {
    case full
    /// At the limit, when little time is left.
    case brief
  }
}
