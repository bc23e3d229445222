internal import GracefulJSON
internal import GracefulShutdown

extension StopAnswer {
  package init(
    state: State, phasesLeft: Int = 0, holding: [Holding] = [], left: Duration? = nil, exitCode: Int32? = nil,
    summary: String? = nil, refusal: String? = nil
  ) {
    self.state = state
    self.phasesLeft = phasesLeft
    self.holding = holding
    self.left = left
    self.exitCode = exitCode
    self.summary = summary
    self.refusal = refusal
  }

  /// For a client that has requested the stop, although it was looked at before that.
  package var requested: Self {
    guard state == .running else { return self }
    var answer = self
    answer.state = .accepted
    return answer
  }

  /// One line of JSON: times are numbers of seconds, and what is not known is `null`.
  package func json(_ outcome: StopConversationStateMachine.Outcome) -> String {
    JSONLine.of(Body(answer: self, error: outcome == .late ? "not stopped in time: \(whatHoldsItUp)" : nil))
  }

  /// `web (2 sessions), queue`.
  package var whatHoldsItUp: String {
    if state == .stopped { return "it is about to exit" }
    if holding.isEmpty { return phasesLeft == 0 ? "nothing is known to hold it up" : "\(phasesLeft) phases are left" }
    return holding.map { holding in
      switch holding.sessions {
      case 0: holding.phase
      case 1: "\(holding.phase) (1 session)"
      default: "\(holding.phase) (\(holding.sessions) sessions)"
      }
    }.joined(separator: ", ") + (holding.count == 1 ? " holds it up" : " hold it up")
  }

  private struct Body: Encodable {
    private enum CodingKeys: String, CodingKey { case state, phasesLeft, holding, left, exitCode, error }

    var answer: StopAnswer
    var error: String?

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(answer.state.description, forKey: .state)
      try container.encode(answer.phasesLeft, forKey: .phasesLeft)
      try container.encode(answer.holding.map(HoldingBody.init), forKey: .holding)
      try container.encodeNullable(answer.left?.inMilliseconds, forKey: .left)
      try container.encodeNullable(answer.exitCode, forKey: .exitCode)
      try container.encodeIfPresent(error, forKey: .error)
    }
  }

  private struct HoldingBody: Encodable {
    private enum CodingKeys: String, CodingKey { case phase, sessions, left }

    var holding: Holding

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(holding.phase, forKey: .phase)
      try container.encode(holding.sessions, forKey: .sessions)
      try container.encodeNullable(holding.left?.inMilliseconds, forKey: .left)
    }
  }
}

extension Duration {
  /// A number of seconds with three digits behind the point.
  fileprivate var inMilliseconds: DecimalNumber { Seconds(self).number(digits: 3) }
}

/// One line of JSON in ASCII: nothing that is printed of it can be mistaken for something else.
enum JSONLine {
  /// - Parameter value: Has no number that is none: nothing else could not be written.
  static func of(_ value: some Encodable) -> String { (try? JSON.text(of: value, as: .asciiLine)) ?? "{}" }
}
