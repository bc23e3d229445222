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
    let holding = holding.map { holding in
      "{\"phase\":\(JSONWord(holding.phase)),\"sessions\":\(holding.sessions),\"left\":\(Self.seconds(holding.left))}"
    }
    var members = [
      "\"state\":\(JSONWord(state.description))", "\"phasesLeft\":\(phasesLeft)",
      "\"holding\":[\(holding.joined(separator: ","))]", "\"left\":\(Self.seconds(left))",
      "\"exitCode\":\(exitCode.map { "\($0)" } ?? "null")",
    ]
    if outcome == .late { members.append("\"error\":\(JSONWord("not stopped in time: \(whatHoldsItUp)"))") }
    return "{\(members.joined(separator: ","))}"
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

  /// To the millisecond, without an exponent.
  private static func seconds(_ duration: Duration?) -> String {
    guard let duration else { return "null" }
    let (seconds, attoseconds) = duration.components
    let thousandths = attoseconds / 1_000_000_000_000_000
    let sign = seconds < 0 || thousandths < 0 ? "-" : ""
    let digits = String(thousandths.magnitude)
    return "\(sign)\(seconds.magnitude).\(String(repeating: "0", count: 3 - digits.count))\(digits)"
  }
}

/// A string in JSON (RFC 8259 §7), in ASCII: nothing that is printed of it can be mistaken for something else.
struct JSONWord: CustomStringConvertible {
  let description: String

  init(_ text: String) {
    var word = "\""
    for unit in text.utf16 {
      switch unit {
      case 0x22: word += "\\\""
      case 0x5C: word += "\\\\"
      case 0x20...0x7E: word.unicodeScalars.append(Unicode.Scalar(UInt8(truncatingIfNeeded: unit)))
      default:
        let digits = String(unit, radix: 16)
        word += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    }
    description = word + "\""
  }
}
