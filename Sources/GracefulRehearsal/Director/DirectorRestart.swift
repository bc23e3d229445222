internal import GracefulProcesses

extension Director {
  /// How long after a clean end of the old process the new one's line may come.
  private static let lineLimit = Duration.seconds(3)

  /// Gives a restart's machine what happens until it has an outcome, and does what it says.
  mutating func follow(
    _ way: RestartStateMachine.Way, faulted: Bool, before: Set<ProcessEntry.Identity>, _ settings: LoadSettings
  ) async throws(NotDone) -> RestartStateMachine.Finish {
    var machine = RestartStateMachine(way, fault: faulted ? configuration.fault : .none)
    let limit = ContinuousClock.now + configuration.readyLimit
    var isOver = false
    var hangLimit: ContinuousClock.Instant?
    var settling: (pid: ProcessID, until: ContinuousClock.Instant)?
    var oldEnd: (event: RestartStateMachine.Event, until: ContinuousClock.Instant)?
    var looks = false
    if case .observed = way { looks = true }

    while true {
      let now = ContinuousClock.now
      var event: RestartStateMachine.Event?
      if let (end, until) = oldEnd, now >= until {
        oldEnd = nil
        event = end
      } else if let due = hangLimit, now >= due {
        hangLimit = nil
        event = .hangLimit
      } else if !isOver, now >= limit {
        isOver = true
        event = .limit
      } else if let (pid, until) = settling, now >= until {
        settling = nil
        event =
          ProcessTable.entry(pid).map { !$0.isZombie } == true
          ? .settled(pid.rawValue) : .ended(pid.rawValue, cleanly: false)
      } else if looks, settling == nil, let pid = processes.top(since: before), await Probe(settings).isAnswered() {
        event = .answering(pid.rawValue)
        settling = (pid, .now + .milliseconds(500))
      }
      if event == nil {
        let deadline =
          [
            hangLimit, isOver ? nil : limit, settling?.until, oldEnd?.until, looks ? now + .milliseconds(20) : nil,
            now + .milliseconds(250),
          ].compactMap { $0 }.min() ?? limit
        event = try await next(until: deadline).flatMap(Self.translated)
        tellProgress()
        // A predecessor that was quick to drain may have ended before its successor's line is here.
        if case .told(let old) = way, case .ended(old, cleanly: true)? = event, let end = event {
          oldEnd = (end, .now + Self.lineLimit)
          event = nil
        }
      }
      guard let event else { continue }
      for action in machine.receive(event) {
        switch action {
        case .kill(let number):
          let pid = ProcessID(rawValue: number)
          if faulted { observations.killedByUs(pid) }
          processes.signal(pid, 9)
        case .stop(let number):
          let pid = ProcessID(rawValue: number)
          observations.killedByUs(pid)
          processes.signal(pid, 19)
        case .armHangLimit: hangLimit = .now + configuration.leftOverLimit
        case .armSettling: break
        case .finish(let finish): return finish
        }
      }
    }
  }

  private static func translated(_ event: DirectorEvent) -> RestartStateMachine.Event? {
    switch event {
    case .line(.serving(_, let identity)): .serving(pid: identity.pid.rawValue, generation: identity.generation)
    case .line(.paused(let pid)): .paused(pid.rawValue)
    case .ended(let pid, let status): .ended(pid.rawValue, cleanly: status == .exited(0))
    case .alarm: nil
    }
  }
}
