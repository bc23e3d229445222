/// The successor that this process starts itself: from the request until it asks to take over, or does not.
extension PredecessorStateMachine {
  mutating func requestRestart() -> [Action] {
    if let restart {
      let who = if case .waiting(let process) = restart { "process \(process)" } else { "a process" }
      return [.notify(.restartJoined(reason: "\(who) has been started to take over"))]
    }
    restart = .spawning
    return [.spawn]
  }

  mutating func spawned(_ process: Int32, at now: Instant) -> [Action] {
    guard restart == .spawning else {
      // A successor that was started by other means was faster, or a stop came.
      return isStopping ? [.killChild(process: process)] : [.ignored("a child that nobody waits for")]
    }
    restart = .waiting(process: process)
    return [.arm(.child(process: process), at: now + limits.ready)]
  }

  mutating func spawnFailed(_ reason: String) -> [Action] {
    guard restart == .spawning else { return [.ignored("a child that nobody waits for: \(reason)")] }
    restart = nil
    return [.notify(.restartFailed(reason: reason))]
  }

  mutating func childExited(_ process: Int32, _ how: String) -> [Action] {
    guard restart == .waiting(process: process) else { return [] }
    restart = nil
    return [
      .disarm(.child(process: process)),
      .notify(.restartFailed(reason: "process \(process) ended before it asked to take over: \(how)")),
    ]
  }

  mutating func childLate(_ process: Int32) -> [Action] {
    guard restart == .waiting(process: process) else { return [] }
    restart = nil
    return [
      .killChild(process: process),
      .notify(.restartFailed(reason: "process \(process) did not ask to take over within \(limits.ready)")),
    ]
  }
}
