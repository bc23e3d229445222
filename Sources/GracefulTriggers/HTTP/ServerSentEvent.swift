/// What is said in a stream of events (HTML Standard, "Server-sent events").
package enum ServerSentEvent {
  package static let type = "text/event-stream"
  /// A comment, which means nothing and keeps proxies from taking the connection for dead.
  package static let comment = ":\n\n"

  /// `event:` is the state, or `late` when the time is over; `data:` is one line of JSON.
  package static func event(_ answer: StopAnswer, _ outcome: StopConversationStateMachine.Outcome?) -> String {
    let name = outcome == .late ? "late" : answer.state.description
    return "event: \(name)\ndata: \(answer.json(outcome ?? .accepted))\n\n"
  }
}
