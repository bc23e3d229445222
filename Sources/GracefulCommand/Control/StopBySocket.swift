internal import GracefulTriggers

/// Through a control socket.
struct StopBySocket: StopCarrier {
  let path: String
  let request: ControlRequest.Stop
  private var client: ControlClient?
  private var parts = DocumentParts()
  private var isAccepted = false

  init(path: String, now: Bool, interval: Duration) {
    self.path = path
    request = ControlRequest.Stop(progress: interval, now: now, why: "graceful stop")
  }

  var program: String { "the program at \(path)" }
  var waiting: String? { nil }

  mutating func ask(_ limit: StopLimit) throws(CommandFailure) {
    client = try ControlClient.ask(.stop(request), at: path, until: limit.deadline)
    (parts, isAccepted) = (DocumentParts(), false)
  }

  mutating func next(_ limit: StopLimit) throws(CommandFailure) -> StopNews {
    let again = Duration.milliseconds(50)
    while let client {
      switch try client.next(until: limit.deadline) {
      // The process to be stopped is another one, or is not decided yet.
      case .comeAgain(let reason): return .askAgain(reason, after: again)
      case .nothing:
        guard let process = client.process else { throw limit.late("the process there", "did not answer") }
        return .late("process \(process.number)" + (isAccepted ? "" : ", which did not answer,"))
      case .ended: return isAccepted ? try ending(client, "", limit) : .askAgain(nil, after: again)
      case .answer(.accepted): isAccepted = true
      case .answer(.stopped(let code, let summary)):
        return try ending(client, code == 0 ? "" : ", with exit code \(code): \(summary.shown)", limit)
      case .answer(let answer):
        if let document = try parts.add(answer) { return .snapshot(document, from: client.source) }
      }
    }
    return .askAgain(nil, after: again)
  }

  /// Where the system gives no descriptor of the process, the end of the connection is its end.
  private func ending(
    _ client: ControlClient, _ how: String, _ limit: StopLimit
  ) throws(CommandFailure) -> StopNews {
    guard let process = client.process else { return .stopped("") }
    guard process.descriptor == nil else { return .ending(process, how: how) }
    while true {
      switch try client.next(until: limit.deadline) {
      case .ended: return .stopped("process \(process.number) has stopped\(how)")
      case .nothing: return .late("process \(process.number)")
      case .answer, .comeAgain: continue
      }
    }
  }
}

extension ControlClient {
  /// The number of the process, and its generation where there is one.
  var source: String {
    guard let process else { return "" }
    return generation > 0 ? "process \(process.number), generation \(generation)" : "process \(process.number)"
  }
}
