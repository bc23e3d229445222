internal import GracefulProcesses
internal import NIOCore

extension Director {
  mutating func restart(_ index: Int, _ settings: LoadSettings) async throws(NotDone) {
    let faulted = configuration.fault != .none && index.isMultiple(of: 2)
    try checkPidFile()
    let watch = await RestartWatch.begin(settings, looks: isJudgedByAnswers)
    let old = currentNewest()
    if let old { processes.observe(old) }
    let oldTree = old.map { processes.tree(of: $0) } ?? []
    let askedAt = NIODeadline.now()
    observations.windows.open(at: askedAt)
    var finish = RestartStateMachine.Finish(outcome: .failed)
    var servedAt: NIODeadline?
    if let way = begin(faulted: faulted, old) {
      (finish, servedAt) = try await follow(way, faulted: faulted, watch)
    }
    let endedAt = NIODeadline.now()
    observations.windows.close(at: endedAt)
    var record = RestartRecord(
      askedAt: askedAt, endedAt: endedAt, finish: finish, old: old, oldTree: oldTree, faultPlanned: faulted,
      servedAt: servedAt)
    if record.seemsServed, !command.isDemo {
      newest = newestOf(watch.witness, answering: finish.proof == .trust ? nil : finish.pid) ?? newest
      if newest != old { record.finish.pid = newest?.rawValue }
      if record.finish.pid == nil { record.finish.pid = processes.top(since: watch.witness.before)?.rawValue }
    }
    records.append(record)
  }

  /// Whether a restart is judged by who answers, and not by the `serving` line of a demo.
  private var isJudgedByAnswers: Bool {
    switch configuration.restart {
    case .startAgain, .signal: !command.isDemo
    case .command: true
    }
  }

  /// Asks for the restart; `nil` when that was not possible.
  private func begin(faulted: Bool, _ old: ProcessID?) -> RestartStateMachine.Way? {
    switch configuration.restart {
    case .startAgain:
      let own = faulted ? ["GRACEFUL_REHEARSAL_PAUSE": "1"] : [:]
      guard let pid = try? processes.start(command.words, own: own) else { return nil }
      return command.isDemo ? .successor(pid.rawValue) : .observed(started: pid.rawValue)
    case .signal(let number, _):
      guard let old, processes.signal(old, number) else { return nil }
      return command.isDemo ? .told(old.rawValue) : .observed(started: nil)
    case .command(let text):
      return (try? processes.shell(text, for: old)).map { .command($0.rawValue) }
    }
  }
}

extension Director {
  /// How long after a clean end of the old process the new one's line may come.
  private static let lineLimit = Duration.seconds(3)

  /// How long a new process must have answered, and no old one.
  private static let settlingTime = Duration.milliseconds(500)
  /// How long it may remain open which process answers.
  private static let doubtingTime = Duration.seconds(2)

  /// Gives a restart's machine what happens until it has an outcome, and does what it says.
  ///
  /// - Returns: The outcome, and when the process was first seen to answer that serves.
  mutating func follow(
    _ way: RestartStateMachine.Way, faulted: Bool, _ watch: RestartWatch
  ) async throws(NotDone) -> (finish: RestartStateMachine.Finish, servedAt: NIODeadline?) {
    var machine = RestartStateMachine(
      way, fault: faulted ? configuration.fault : .none, trusts: configuration.trustsRestarts)
    var watch = watch
    let limit = ContinuousClock.now + configuration.readyLimit
    var isOver = false
    var hangLimit: ContinuousClock.Instant?
    var settling: (since: NIODeadline, until: ContinuousClock.Instant)?
    var isSettling = false
    var looked: ContinuousClock.Instant?
    var oldEnd: (event: RestartStateMachine.Event, until: ContinuousClock.Instant)?
    var nextLook: ContinuousClock.Instant?
    switch way {
    case .observed, .command: nextLook = .now
    case .successor, .told: break
    }

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
      } else if isSettling, let (_, until) = settling, let looked, looked >= until {
        // Not before a look from beyond that time, which may still see an old process.
        isSettling = false
        event = .settled
      } else if let due = nextLook, now >= due {
        event = await watch.look()
        looked = .now
        nextLook = .now + RestartWatch.interval
      }
      if event == nil {
        let deadline =
          [hangLimit, isOver ? nil : limit, oldEnd?.until, nextLook, now + .milliseconds(250)].compactMap { $0 }.min()
        event = try await next(until: deadline ?? limit).flatMap(Self.translated)
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
        case .armSettling, .armDoubting:
          settling = (.now(), .now + (action == .armSettling ? Self.settlingTime : Self.doubtingTime))
          isSettling = true
        case .finish(let finish): return (finish, settling?.since)
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
