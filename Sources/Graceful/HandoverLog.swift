internal import GracefulHandover
internal import Logging

/// What operators read about a handover.
final class HandoverLog: Sendable {
  private let logger: Logger
  private let refusals = SharedRepetitionLimit(5)

  init(logger: Logger) { self.logger = logger }

  func write(_ event: HandoverEvent) {
    let (level, message, facts) = Self.line(event)
    var metadata = facts
    if event.kind == .peerRefused {
      guard case .say(let unsaid) = refusals.decide(at: .now) else { return }
      if unsaid > 0 { metadata["unsaid"] = "\(unsaid)" }
    }
    logger.log(level: level, "\(message)", metadata: metadata)
  }

  static func line(_ event: HandoverEvent) -> (Logger.Level, String, Logger.Metadata) {
    switch event.detail {
    case .offering(let process, let program):
      (.info, "a successor has connected", ["successor.pid": "\(process)", "successor.program": "\(program)"])
    case .committing(let process):
      (.debug, "the successor is ready; committing", ["successor.pid": "\(process)"])
    case .tookOver(let process): (.notice, "the successor has taken over", ["successor.pid": "\(process)"])
    case .successorFailed(let process, let reason):
      (.error, "the successor failed; serving on", ["successor.pid": "\(process)", "reason": "\(reason)"])
    case .successorGivenUp(let process, let reason):
      (.error, "the successor is given up; serving on", ["successor.pid": "\(process)", "reason": "\(reason)"])
    case .successorKilled(let process):
      (
        .error, "the successor that was given up held on to the listeners and was killed",
        ["successor.pid": "\(process)"]
      )
    case .successorEnded(let process): (.warning, "the successor has ended", ["successor.pid": "\(process)"])
    case .restartJoined(let reason): (.notice, "a restart is going on already", ["reason": "\(reason)"])
    case .restartFailed(let reason): (.error, "the restart failed; serving on", ["reason": "\(reason)"])
    case .peerRefused(let process, let reason):
      (.warning, "refused a peer on the handover socket", ["peer.pid": "\(process)", "reason": "\(reason)"])
    case .waiting(let reason): (.info, "waiting for the handover socket", ["reason": "\(reason)"])
    case .owning(let predecessorDied):
      predecessorDied
        ? (.warning, "the predecessor has died; this process serves with what it had handed over", [:])
        : (.info, "this process serves", [:])
    case .unclaimed(let names):
      (.warning, "inherited and not asked for; closed", ["names": "\(names.joined(separator: ", "))"])
    case .predecessorEnded(let process): (.info, "the predecessor has ended", ["predecessor.pid": "\(process)"])
    case .socketMadeAnew(let reason): (.warning, "the handover socket was made anew", ["reason": "\(reason)"])
    case .socketLost(let reason):
      (
        .error, "the handover socket has gone; serving on, and found by no command until it is made anew",
        ["reason": "\(reason)"]
      )
    case .ignored(let reason): (.debug, "ignored", ["reason": "\(reason)"])
    }
  }
}
