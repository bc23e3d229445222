/// One request from its beginning to the one class that it ends in.
///
/// What follows after the end changes nothing: every request ends exactly once.
package struct RequestStateMachine: Equatable, Sendable {
  /// Why a connection could not be made.
  package enum ConnectFailure: Hashable, Sendable {
    case refused
    case reset
    case timedOut
    /// Our own machine's fault.
    case ownMachine(errno: Int32)
  }

  package enum Event: Hashable, Sendable {
    case connected
    case connectFailed(ConnectFailure)
    case firstByte
    case head(status: Int, echoedID: String?)
    case body(bytes: Int)
    /// The body is not as it was expected to be.
    case unexpectedBody
    case end
    /// The end, with bytes behind it.
    case bytesBehind
    case closed
    case reset
    /// What came is not HTTP.
    case malformed
    case timedOut
  }

  enum State: Equatable, Sendable {
    case connecting
    /// Written, or being written: the difference cannot be seen from here, and does not matter.
    case waiting
    /// Bytes have come, but no whole head.
    case begun
    case answering(Answer)
    case ended(RequestOutcome)
  }

  struct Answer: Equatable, Sendable {
    var status: Int
    var echoedID: String?
    var length = 0
    var isUnexpected = false
  }

  private(set) var state: State
  private let id: String
  private let expectedLength: Int?

  /// Makes a request that begins now.
  ///
  /// - Parameters:
  ///   - id: What the request carries as `X-Request-Id`; an answer that echoes another one is not this request's.
  ///   - expectedLength: The length that answers are to have where no id is echoed; `nil` for any.
  ///   - connected: Whether it has its connection already.
  package init(id: String, expectedLength: Int?, connected: Bool) {
    self.id = id
    self.expectedLength = expectedLength
    self.state = connected ? .waiting : .connecting
  }

  /// How it ended, or `nil` while it has not.
  package var outcome: RequestOutcome? {
    if case .ended(let outcome) = state { outcome } else { nil }
  }

  /// - Returns: The outcome, once: for the event that decided it.
  package mutating func receive(_ event: Event) -> RequestOutcome? {
    switch (state, event) {
    case (.connecting, .connected):
      state = .waiting
      return nil
    case (.connecting, .connectFailed(.refused)): return end(.failed(.refused))
    case (.connecting, .connectFailed(.reset)): return end(.failed(.reset))
    case (.connecting, .connectFailed(.timedOut)): return end(.failed(.timedOut))
    case (.connecting, .connectFailed(.ownMachine(let errno))): return end(.notSent(errno: errno))

    case (.connecting, .firstByte), (.waiting, .firstByte):
      state = .begun
      return nil
    case (.connecting, .head(let status, let id)), (.waiting, .head(let status, let id)),
      (.begun, .head(let status, let id)):
      state = .answering(Answer(status: status, echoedID: id))
      return nil
    case (.answering(var answer), .body(let bytes)):
      answer.length += bytes
      state = .answering(answer)
      return nil
    case (.answering(var answer), .unexpectedBody):
      answer.isUnexpected = true
      state = .answering(answer)
      return nil
    case (.answering(let answer), .end): return end(judged(answer))
    case (.answering(let answer), .bytesBehind):
      let outcome = judged(answer)
      return end(outcome == .answered ? .failed(.bytesBehind) : outcome)

    case (.connecting, .closed), (.waiting, .closed): return end(.failed(.closedBeforeByte))
    case (.connecting, .reset), (.waiting, .reset): return end(.failed(.reset))
    case (.begun, .closed), (.begun, .reset), (.answering, .closed), (.answering, .reset):
      return end(.failed(.cutShort))
    case (.connecting, .malformed), (.waiting, .malformed), (.begun, .malformed): return end(.failed(.badStatus))
    // A head, then chunks that are none: the status was good, what was to be its body is not.
    case (.answering, .malformed): return end(.failed(.wrongBody))
    case (.connecting, .timedOut), (.waiting, .timedOut), (.begun, .timedOut), (.answering, .timedOut):
      return end(.failed(.timedOut))

    // Impossible: the parser speaks of bodies and ends only after a head, and a connection is made once.
    case (.connecting, .body), (.connecting, .end), (.waiting, .body), (.waiting, .end), (.begun, .body),
      (.begun, .end), (.connecting, .unexpectedBody), (.waiting, .unexpectedBody), (.begun, .unexpectedBody),
      (.connecting, .bytesBehind), (.waiting, .bytesBehind), (.begun, .bytesBehind),
      (.waiting, .connected), (.begun, .connected), (.answering, .connected), (.waiting, .connectFailed),
      (.begun, .connectFailed), (.answering, .connectFailed):
      return nil
    // A second head is a 1xx before it, or pipelining that was not asked for: the first one counts.
    case (.answering, .head), (.begun, .firstByte), (.answering, .firstByte): return nil

    case (.ended, .connected), (.ended, .connectFailed), (.ended, .firstByte), (.ended, .head), (.ended, .body),
      (.ended, .unexpectedBody), (.ended, .end), (.ended, .bytesBehind), (.ended, .closed), (.ended, .reset),
      (.ended, .malformed), (.ended, .timedOut):
      return nil
    }
  }

  private mutating func end(_ outcome: RequestOutcome) -> RequestOutcome {
    state = .ended(outcome)
    return outcome
  }

  private func judged(_ answer: Answer) -> RequestOutcome {
    guard (200..<300).contains(answer.status) else { return .failed(.badStatus) }
    if answer.isUnexpected { return .failed(.wrongBody) }
    if let echoed = answer.echoedID { return echoed == id ? .answered : .failed(.wrongBody) }
    if let expectedLength, answer.length != expectedLength { return .failed(.wrongBody) }
    return .answered
  }
}
