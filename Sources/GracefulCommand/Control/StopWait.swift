internal import Graceful
internal import GracefulHandover
internal import GracefulTriggers

/// Waits for a program to stop, and shows people what is draining.
///
/// It has succeeded only when the process is gone.
struct StopWait {
  let deadline: ContinuousClock.Instant
  let limit: String
  /// How old what is known may be when the time is over.
  private let interval: Duration
  let show: LiveLines
  private(set) var last: LifecycleSnapshot?
  private(set) var source = ""
  private var told = ""

  init(within timeout: DurationArgument, showing lines: LiveLines = LiveLines(on: 2)) {
    deadline = .now + timeout.duration
    limit = timeout.description
    show = lines
    let usual: Duration = lines.isTerminal ? .milliseconds(200) : .milliseconds(500)
    interval = min(usual, max(timeout.duration / 5, .milliseconds(20)))
  }

  /// For ways of asking that show nothing.
  static let whereToLook =
    "`graceful status --socket` (or --url) shows which phase holds it up, where the program has such a socket"

  var isOver: Bool { ContinuousClock.now >= deadline }

  mutating func saw(_ json: String, from source: String) {
    guard let snapshot = try? LifecycleSnapshot(json: json) else { return }
    last = snapshot
    self.source = source
    show.show(StatusTree(snapshot: snapshot, source: source).lines)
  }

  /// Tells why nothing is seen to happen, once each.
  mutating func tell(_ reason: String) {
    guard reason != told else { return }
    told = reason
    show.show([reason])
  }

  /// Why it was not in time.
  func late(_ who: String) -> CommandFailure {
    .late("\(who) has not stopped within \(limit)\(last.map { ", but will: \($0.holdUp)" } ?? "")")
  }

  /// Through a control socket.
  mutating func throughSocket(_ path: String, now: Bool) throws(CommandFailure) -> String {
    defer { show.clear() }
    let stop = ControlRequest.Stop(progress: interval, now: now, why: "graceful stop")
    while true {
      let client = try ControlClient.ask(.stop(stop), at: path, until: deadline)
      if let stopped = try wait(for: client) { return stopped }
      // The process to be stopped is another one, or is not decided yet.
      guard !isOver else { throw late("the program at \(path)") }
      Waiting.pause(.milliseconds(50), until: deadline)
    }
  }

  /// - Returns: how it stopped; `nil` when the question is to be asked again.
  private mutating func wait(for client: ControlClient) throws(CommandFailure) -> String? {
    var parts = DocumentParts()
    var isAccepted = false
    while true {
      switch try client.next(until: deadline) {
      case .comeAgain(let reason):
        tell(reason)
        return nil
      case .nothing:
        guard let process = client.process else { throw .late("the process there did not answer within \(limit)") }
        throw late(isAccepted ? "process \(process.number)" : "process \(process.number), which did not answer,")
      case .ended: return isAccepted ? try gone(client, "") : nil
      case .answer(.accepted): isAccepted = true
      case .answer(.stopped(let code, let summary)):
        return try gone(client, code == 0 ? "" : ", with exit code \(code): \(summary.shown)")
      case .answer(let answer):
        if let document = try parts.add(answer) { saw(document, from: client.source) }
      }
    }
  }

  /// It has said so, or its connection has ended; now it must be gone.
  private func gone(_ client: ControlClient, _ how: String) throws(CommandFailure) -> String {
    guard let process = client.process else { return "" }
    let isGone: Bool
    if let hasEnded = process.hasEnded(by: deadline) { isGone = hasEnded } else { isGone = try hasHungUp(client) }
    if isGone { return "process \(process.number) has stopped\(how)" }
    throw late("process \(process.number)")
  }

  /// Where the system gives no descriptor of the process, the end of the connection is its end.
  private func hasHungUp(_ client: ControlClient) throws(CommandFailure) -> Bool {
    while true {
      switch try client.next(until: deadline) {
      case .ended: return true
      case .nothing: return false
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
