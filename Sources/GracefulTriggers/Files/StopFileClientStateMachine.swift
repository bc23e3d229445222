/// A client that asks a program to stop by a file, and waits for its answer.
///
/// An answer that was there before the request is none. A request that no program has taken when the time
/// is over, is taken back.
package struct StopFileClientStateMachine: Sendable {
  package typealias Instant = ContinuousClock.Instant

  package enum Stage: Hashable, Sendable {
    case idle
    case lookingAtDirectory
    case lookingBefore
    case clearing
    case creating
    /// Another client's request is there.
    case lookingAtOther
    case clearingOther
    case arming
    case lookingAtAnswer
    case lookingAtRequest
    case waiting
    case lookingAtProcess
    case waitingForExit(process: Int32)
    case takingBack(Ending)
    /// A last look whether it is still ours.
    case lookingToTakeBack(Ending)
    case finished
  }

  package private(set) var stage = Stage.idle
  /// Events that could not be, for the tests.
  package private(set) var ignored: [Event] = []
  private let rules: StopFileRules
  private let wallClock: Int64
  private let deadline: Instant
  private let pace: Pace
  private var isArmed = false
  private var isOutdated = false
  private var isInterrupted = false
  /// Only users whose answer is believed can put one there: then it need not be looked at.
  private var isPrivate = false
  /// The answer has been put there since we asked, if ``isPrivate``.
  private var hasArrived = false
  /// The answer of an earlier run.
  private var before: FileStatus.Version?
  private var refused: FileStatus.Version?
  /// Our request; `nil` when it is another client's.
  private var own: FileStatus.Version?
  private var isHeard: Bool?
  private var attempts = 0
  private var began: Instant?

  /// - Parameter wallClock: The time now, in nanoseconds since 1970.
  package init(rules: StopFileRules, wallClock: Int64, deadline: Instant, pace: Pace = Pace()) {
    self.rules = rules
    self.wallClock = wallClock
    self.deadline = deadline
    self.pace = pace
  }

  /// A switch over the events, each of which is an answer to what was done in one stage or two, or may come at any time: of
  /// all pairs in one switch the compiler cannot tell whether none is missing.
  package mutating func receive(_ event: Event, at now: Instant) -> [Action] {
    switch event {
    case .began:
      began = began ?? now
      if stage == .idle { return go(.lookingAtDirectory, .lookAtDirectory) }
    case .directory(let look):
      if stage == .lookingAtDirectory { return enter(look) }
    case .answer(let look):
      if stage == .lookingBefore { return remember(look) }
      if stage == .lookingAtAnswer { return judge(look) }
    case .request(let look):
      if stage == .lookingAtOther { return join(look, now) }
      if stage == .lookingAtRequest { return follow(look, now) }
      if case .lookingToTakeBack(let ending) = stage { return takeBack(look, ending) }
    case .cleared(let errno):
      if stage == .clearing { return go(.creating, .create) }
      if stage == .clearingOther {
        return errno == 0 || errno == noSuchFile ? go(.creating, .create) : finish(.createFailed(errno))
      }
    case .armed(let isArmed):
      if stage == .arming {
        self.isArmed = isArmed
        return go(.lookingAtAnswer, .lookAtAnswer)
      }
    case .created(let look):
      if stage == .creating { return created(look, now) }
    case .process(let process):
      if stage == .lookingAtProcess { return answered(by: process) }
    case .takenBack(let errno):
      if case .takingBack(let ending) = stage {
        // Gone: it was taken at this moment.
        if errno == noSuchFile { isHeard = true }
        return finish(ending.with(heard: isHeard))
      }
    case .changed, .arrived, .ended, .due, .exited, .interrupted: return wake(event, now)
    }
    return ignore(event)
  }

  /// What may come at any time: while it goes round it is kept for the end of the round.
  private mutating func wake(_ event: Event, _ now: Instant) -> [Action] {
    switch stage {
    case .idle: return ignore(event)
    case .lookingAtDirectory, .lookingBefore, .clearing, .creating, .lookingAtOther, .clearingOther,
      .arming, .lookingAtAnswer, .lookingAtRequest, .lookingAtProcess:
      if event == .ended { isArmed = false }
      if event == .interrupted { isInterrupted = true }
      if event == .arrived { arrive() }
      isOutdated = true
      return []
    case .waiting:
      if event == .exited { return ignore(event) }
      if event == .interrupted { return end(.interrupted(heard: isHeard)) }
      if event == .ended { isArmed = false }
      if event == .arrived { arrive() }
      return lookAgain(now)
    case .waitingForExit(let process):
      if event == .exited { return end(.stopped) }
      if event == .interrupted { return end(.interrupted(heard: isHeard)) }
      return now < deadline ? [.wait(until: deadline)] : end(.notInTime(heard: true, running: process))
    // The end is decided.
    case .takingBack, .lookingToTakeBack, .finished: return []
    }
  }

  private mutating func ignore(_ event: Event) -> [Action] {
    if stage != .finished { ignored.append(event) }
    return []
  }

  private mutating func go(_ next: Stage, _ action: Action) -> [Action] {
    stage = next
    return [action]
  }

  private mutating func finish(_ ending: Ending) -> [Action] {
    stage = .finished
    return [.finish(ending)]
  }

  // MARK: Before the request

  private mutating func enter(_ look: StopFileLook) -> [Action] {
    switch look {
    case .absent: return finish(.noDirectory)
    case .failed(let errno): return finish(.directoryFailed(errno))
    case .found(let status):
      if let objection = rules.objection(toDirectoryOfProgram: status) { return finish(.directoryRefused(objection)) }
      isPrivate = status.permissions & 0o022 == 0
      return go(.lookingBefore, .lookAtAnswer)
    }
  }

  private mutating func remember(_ look: StopFileLook) -> [Action] {
    guard case .found(let status) = look else { return go(.creating, .create) }
    before = status.version
    // `noamt/stop` cannot write over its own (mode 01130). A new one may be what another client waits for, which looks
    // every two seconds.
    guard wallClock - status.changed > 10_000_000_000 else { return go(.creating, .create) }
    return go(.clearing, .clear)
  }

  private mutating func created(_ look: StopFileLook, _ now: Instant) -> [Action] {
    switch look {
    case .found(let status):
      own = status.version
      isHeard = false
      return [.tell(.asked)] + lookAgain(now)
    // Made, and taken before it could be looked at.
    case .absent:
      isHeard = true
      return [.tell(.heard)] + lookAgain(now)
    case .failed(fileExists): return go(.lookingAtOther, .lookAtRequest)
    case .failed(noSuchFile): return finish(.noDirectory)
    case .failed(let errno): return finish(.createFailed(errno))
    }
  }

  private mutating func join(_ look: StopFileLook, _ now: Instant) -> [Action] {
    switch look {
    case .absent:
      // Taken meanwhile. That this happens again and again is a game that another process plays with us.
      attempts += 1
      return attempts < 100 ? go(.creating, .create) : finish(.createFailed(fileExists))
    case .failed(let errno): return finish(.createFailed(errno))
    case .found(let status):
      if let objection = rules.objection(toRequest: status) {
        // Of another user: root's own is believed by every program.
        guard case .foreign = objection, rules.user == 0, attempts < 100 else {
          return finish(.requestRefused(objection))
        }
        attempts += 1
        return go(.clearingOther, .clearRequest)
      }
      return [.tell(.asked)] + lookAgain(now)
    }
  }

  // MARK: The round

  private mutating func lookAgain(_ now: Instant) -> [Action] {
    isOutdated = false
    return isArmed || !isDueToWatch(now) ? go(.lookingAtAnswer, .lookAtAnswer) : go(.arming, .arm)
  }

  private func isDueToWatch(_ now: Instant) -> Bool { now - (began ?? now) >= pace.unwatchedFor }

  /// It was asked for before the watch began, so this is an answer.
  ///
  /// Where every user may write, it could be any user's: there it is worth no more than another change.
  private mutating func arrive() { hasArrived = isPrivate }

  private mutating func judge(_ look: StopFileLook) -> [Action] {
    // It was there: a program that was started again at once has removed it, as it does what an earlier run has left.
    if look == .absent, hasArrived { return end(.stopped) }
    if case .found = look { hasArrived = false }
    guard case .found(let status) = look, status.version != before, status.version != refused else {
      return go(.lookingAtRequest, .lookAtRequest)
    }
    if let objection = rules.objection(toAnswer: status) {
      refused = status.version
      return [.tell(.refused(objection))] + go(.lookingAtRequest, .lookAtRequest)
    }
    return go(.lookingAtProcess, .watchProcess)
  }

  private mutating func follow(_ look: StopFileLook, _ now: Instant) -> [Action] {
    var told: [Action] = []
    if let own, isHeard == false {
      let isGone: Bool
      switch look {
      case .absent: isGone = true
      case .found(let status): isGone = status.version != own
      case .failed: isGone = false
      }
      if isGone {
        isHeard = true
        told = [.tell(.heard)]
      }
    }
    if isInterrupted { return told + end(.interrupted(heard: isHeard)) }
    if now >= deadline { return told + end(.notInTime(heard: isHeard, running: nil)) }
    if isOutdated { return told + lookAgain(now) }
    stage = .waiting
    let unwatched = max(.milliseconds(1), min(pace.unwatched, (now - (began ?? now)) / 20))
    let next = now + (isArmed ? pace.watched : unwatched)
    return (told.isEmpty ? [.tell(.waiting)] : told) + [.wait(until: min(next, deadline))]
  }

  private mutating func answered(by process: Int32?) -> [Action] {
    guard let process else { return end(.stopped) }
    if isInterrupted { return end(.interrupted(heard: isHeard)) }
    stage = .waitingForExit(process: process)
    return [.tell(.exiting(process: process)), .wait(until: deadline)]
  }

  /// Our own request is taken back, unless a program has it: `noamt/stop` leaves it there, and would stop again at its next
  /// start.
  private mutating func end(_ ending: Ending) -> [Action] {
    guard own != nil, isHeard == false else { return finish(ending) }
    return go(.lookingToTakeBack(ending), .lookAtRequest)
  }

  private mutating func takeBack(_ look: StopFileLook, _ ending: Ending) -> [Action] {
    if case .found(let status) = look, status.version == own { return go(.takingBack(ending), .takeBack) }
    if case .failed = look {} else { isHeard = true }
    return finish(ending.with(heard: isHeard))
  }

  /// ENOENT and EEXIST, the same on every system.
  private var noSuchFile: Int32 { 2 }
  private var fileExists: Int32 { 17 }
}

extension StopFileClientStateMachine.Ending {
  fileprivate func with(heard: Bool?) -> Self {
    switch self {
    case .notInTime(_, let running): .notInTime(heard: heard, running: running)
    case .interrupted: .interrupted(heard: heard)
    case .stopped, .noDirectory, .directoryRefused, .requestRefused, .directoryFailed, .createFailed: self
    }
  }
}
