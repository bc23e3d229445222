internal import GracefulShutdown

/// Where a lifecycle is, on one line for `systemctl status`.
enum NotifyStatus {
  static func line(_ snapshot: LifecycleSnapshot) -> String {
    TerminalText.line(of: text(snapshot), columns: 240)
  }

  private static func text(_ snapshot: LifecycleSnapshot) -> String {
    let own = snapshot.phases.filter { $0.parent == nil }
    switch snapshot.state {
    case .starting, .declared:
      let ready = own.count { $0.state == .ready }
      return "starting: \(ready) of \(own.count) phases are ready"
    case .stopping: return stopping(snapshot, own)
    case .finished: return "stopped"
    default:
      let broken = own.filter { $0.state == .restarting || $0.isWaiting }
      return broken.isEmpty ? "running" : "running, but not ready: \(names(broken))"
    }
  }

  private static func stopping(_ snapshot: LifecycleSnapshot, _ own: [PhaseSnapshot]) -> String {
    let left = snapshot.left.map { "; \(max($0, .zero).brief) left" } ?? ""
    let who = snapshot.request.map { ", asked by \($0.source)" } ?? ""
    if let lameDuck = snapshot.lameDuckLeft {
      return "stopping\(who): serving on as a lame duck for \(lameDuck.brief)\(left)"
    }
    let there = own.filter { $0.state != .ended && $0.state != .waiting }
    let draining = there.filter { $0.state == .draining || $0.state == .cancelled }
    return "stopping\(who): draining \(names(draining)), \(there.count) of \(own.count) phases left\(left)"
  }

  private static func names(_ phases: [PhaseSnapshot]) -> String {
    guard !phases.isEmpty else { return "nothing" }
    let shown = phases.prefix(4).map { phase in
      let sessions = phase.sessionsLive == 0 ? "" : " (\(phase.sessionsLive) sessions)"
      return TerminalText(phase.name, columns: 40).string + sessions
    }
    let more = phases.count - shown.count
    return shown.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
  }
}
