internal import Graceful

/// A way to a program that is to stop: it sends, and decodes what comes back.
///
/// ``StopWait`` has the conversation.
protocol StopCarrier {
  /// What it is called in a message, before its process is known.
  var program: String { get }
  /// Shown until the program says more.
  var waiting: String? { get }
  /// Follows when the process has not ended in time.
  var advice: String { get }

  mutating func ask(_ limit: StopLimit) throws(CommandFailure)
  mutating func next(_ limit: StopLimit) throws(CommandFailure) -> StopNews
}

extension StopCarrier {
  var advice: String { "" }
}

/// What comes of asking a program to stop.
enum StopNews {
  /// It takes no request at this moment: it, or its successor, is to be asked again.
  case askAgain(String?, after: Duration)
  case snapshot(String, from: String)
  /// It has said that it stopped, or was told to; what is left is the end of its process.
  case ending(WatchedProcess, how: String = "")
  /// It has stopped, in words, where its process cannot be seen.
  case stopped(String)
  /// The time is over; the name of what has not stopped.
  case late(String)
}

/// How long a stop is waited for.
struct StopLimit {
  let deadline: ContinuousClock.Instant
  let text: String

  init(_ timeout: DurationArgument) { (deadline, text) = (.now + timeout.duration, timeout.description) }

  var left: Duration { deadline - .now }

  func late(_ program: String, _ how: String = "has not stopped", _ rest: String = "") -> CommandFailure {
    .late("\(program) \(how) within \(text)\(rest)")
  }

  /// For ways of asking that show nothing.
  static let whereToLook =
    "`graceful status --socket` (or --url) shows which phase holds it up, where the program has such a socket"
}

/// Asks a program to stop, waits for that, and shows people what is draining.
///
/// It has succeeded only when the process is gone, wherever that can be seen.
struct StopWait {
  let limit: StopLimit
  /// How old what is known may be when the time is over.
  let interval: Duration
  private let show: LiveLines
  private var last: LifecycleSnapshot?
  private var told = ""

  init(within timeout: DurationArgument, showing lines: LiveLines = LiveLines(on: 2)) {
    limit = StopLimit(timeout)
    show = lines
    let usual: Duration = lines.isTerminal ? .milliseconds(200) : .milliseconds(500)
    interval = min(usual, max(timeout.duration / 5, .milliseconds(20)))
  }

  /// - Returns: How it stopped.
  mutating func run(_ way: some StopCarrier) throws(CommandFailure) -> String {
    var carrier = way
    defer { show.clear() }
    try carrier.ask(limit)
    if let waiting = carrier.waiting { tell(waiting) }
    while true {
      switch try carrier.next(limit) {
      case .snapshot(let json, let source): saw(json, from: source)
      case .stopped(let words): return words
      case .late(let program): throw late(program)
      case .ending(let process, let how):
        let name = "process \(process.number)"
        switch process.hasEnded(by: limit.deadline) {
        case true?: return "\(name) has stopped\(how)"
        case false?: throw late(name, carrier.advice)
        case nil: return "\(name) has stopped, by its own word; this system cannot show its end"
        }
      case .askAgain(let reason, let pause):
        if let reason { tell(reason) }
        guard limit.left > .zero else {
          throw late(carrier.program, reason.map { "; it said last: \($0)" } ?? "")
        }
        Waiting.pause(pause, until: limit.deadline)
        try carrier.ask(limit)
      }
    }
  }

  private func late(_ program: String, _ advice: String = "") -> CommandFailure {
    limit.late(program, "has not stopped", (last.map { ", but will: \($0.holdUp)" } ?? "") + advice)
  }

  private mutating func saw(_ json: String, from source: String) {
    guard let snapshot = try? LifecycleSnapshot(json: json) else { return }
    last = snapshot
    show.show(StatusTree(snapshot: snapshot, source: source).lines)
  }

  /// Tells why nothing is seen to happen, once each.
  private mutating func tell(_ reason: String) {
    guard reason != told else { return }
    told = reason
    show.show([reason])
  }
}
