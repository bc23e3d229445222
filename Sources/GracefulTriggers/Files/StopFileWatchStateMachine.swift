/// What a program does about stop files: when it looks, what it takes for a request, what it removes, what it tells.
///
/// It goes round: the directory, then the file, then it waits for a change or a time. A change while it goes round makes it
/// go round once more, so that none is missed: what is looked at is looked at after the watch has begun.
package struct StopFileWatchStateMachine: Sendable {
  package typealias Instant = ContinuousClock.Instant

  /// How long it waits between two rounds.
  package struct Pace: Hashable, Sendable {
    /// Where changes are told of: a network file system may tell of those of this machine only.
    package var watched: Duration
    /// Where none are told of.
    package var unwatched: Duration
    /// While another process answers, or a handover is going on.
    package var kept: Duration

    package init(
      watched: Duration = .seconds(1), unwatched: Duration = .milliseconds(100), kept: Duration = .milliseconds(20)
    ) {
      self.watched = watched
      self.unwatched = unwatched
      self.kept = kept
    }
  }

  package enum Stage: Hashable, Sendable {
    case idle
    case lookingAtDirectory
    case claiming(FileStatus.Identity)
    case clearing(FileStatus.Identity)
    case arming(FileStatus.Identity)
    case lookingAtRequest(FileStatus.Identity)
    case lookingAtPermission(FileStatus.Version)
    /// If the removal fails because it is gone, the request was taken back.
    case consuming(FileStatus.Version)
    case removingStale(FileStatus.Version)
    /// It has been taken: a conversation about a stop has begun, whose client is a file.
    case asking(StopConversationStateMachine)
    case waiting
    case left
  }

  package private(set) var stage = Stage.idle
  /// Events that could not be, for the tests; a stop never crashes because of one.
  package private(set) var ignored: [Event] = []
  private let rules: StopFileRules
  private let started: Int64
  private let pace: Pace
  /// The directory of which changes are told.
  private var watched: FileStatus.Identity?
  /// The directory in which a file has been looked at since it is there: what comes later, is new.
  private var known: FileStatus.Identity?
  /// What was decided, and stays because it cannot be removed.
  private var settled: FileStatus.Version?
  var told: [Place: Told] = [:]
  var quietUntil: Instant?
  private var names = SeveralNames()
  private var isOutdated = false
  /// A process that ends with a watch takes 5 to 24 ms longer to be gone (measured; the kernel waits until nothing uses the
  /// watch any more): so after the first request it looks now and then.
  private var hasAsked = false
  /// Another process answered before: then what is there, was meant for a process that lived as this one did.
  private var wasHeld = false
  /// A request has been taken that is not asked for yet.
  private var owes = false

  struct Told: Hashable {
    var file: FileStatus.Identity?
    var objection: StopFileObjection
  }

  /// - Parameters:
  ///   - started: When the process started, in nanoseconds since 1970. A file that is there at the first look, is stale when
  ///     it is older than that; a later file is not, whatever its time says: the clock of a network file system is
  ///     another one.
  package init(rules: StopFileRules, started: Int64, pace: Pace = Pace()) {
    self.rules = rules
    self.started = started
    self.pace = pace
  }

  package mutating func receive(_ event: Event, at now: Instant) -> [Action] {
    // A function each, or the compiler gives up on the pairs.
    switch event {
    case .left: return leave()
    case .passedOn: return leave(passingOn: true)
    case .changed, .ended, .due: return wake(event, now)
    case .began, .directory, .claimed, .cleared, .armed, .request, .permission, .removed, .decided:
      return answered(event, now)
    }
  }

  private mutating func answered(_ event: Event, _ now: Instant) -> [Action] {
    switch (stage, event) {
    case (.idle, .began): return lookAgain()
    case (.lookingAtDirectory, .directory(let look, let access)): return enter(look, access, now)
    case (.claiming(let directory), .claimed(let claim)): return claimed(directory, claim, now)
    case (.clearing(let directory), .cleared(let errno)):
      return complain(errno == 0 || errno == noSuchFile ? nil : .answerStays(errno: errno)) + approach(directory)
    case (.arming(let directory), .armed(let isArmed)):
      watched = isArmed ? directory : nil
      stage = .lookingAtRequest(directory)
      return [.lookAtRequest]
    case (.lookingAtRequest(let directory), .request(let look)):
      defer { if case .failed = look {} else { known = directory } }
      return judge(look, isFirstLook: known != directory, now)
    case (.lookingAtPermission(let version), .permission(let may)):
      guard may else { return settle(now, for: pace.kept) }
      stage = .consuming(version)
      return [.removeRequest]
    case (.consuming(let version), .removed(let errno)): return consumed(version, errno, now)
    case (.removingStale(let version), .removed(let errno)): return removedStale(version, errno, now)
    case (.asking(let conversation), .decided(let isPermitted)):
      // A file is told of the acceptance by its being gone, and of a refusal not at all: it is asked for again.
      return converse(conversation, isPermitted ? .permitted(StopAnswer(state: .accepted)) : .refused(""), now)
    // It has left: what was on its way arrives nowhere.
    case (.left, _): return []
    case (.idle, _), (.lookingAtDirectory, _), (.claiming, _), (.clearing, _), (.arming, _), (.lookingAtRequest, _),
      (.lookingAtPermission, _), (.consuming, _), (.removingStale, _), (.asking, _), (.waiting, _):
      return ignore(event)
    }
  }

  /// What may come at any time: while the machine goes round, it is kept for the end of the round.
  private mutating func wake(_ event: Event, _ now: Instant) -> [Action] {
    switch stage {
    case .waiting: return (event == .ended ? disarm() : []) + (owes ? requestPermission(now) : lookAgain())
    // The decision may take a while, and is waited for.
    case .asking where event == .due: return [.wait(until: now + pace.kept)]
    case .lookingAtDirectory, .claiming, .clearing, .arming, .lookingAtRequest, .lookingAtPermission, .consuming,
      .removingStale, .asking:
      if event == .due { return ignore(event) }
      isOutdated = true
      return event == .ended ? disarm() : []
    case .idle: return ignore(event)
    case .left: return []
    }
  }

  private mutating func ignore(_ event: Event) -> [Action] {
    ignored.append(event)
    return []
  }

  private mutating func leave(passingOn: Bool = false) -> [Action] {
    guard stage != .left else { return [] }
    stage = .left
    defer { owes = false }
    return disarm() + (passingOn && owes ? [.putBack] : [])
  }

  // MARK: The round

  private mutating func lookAgain() -> [Action] {
    stage = .lookingAtDirectory
    isOutdated = false
    return [.lookAtDirectory]
  }

  /// - Parameter time: Of the pace unless given.
  private mutating func settle(_ now: Instant, for time: Duration? = nil) -> [Action] {
    // For a while everything is as it is, whatever changes.
    if isOutdated, time == nil { return lookAgain() }
    stage = .waiting
    return [.wait(until: now + (time ?? (watched == nil ? pace.unwatched : pace.watched)))]
  }

  private mutating func disarm() -> [Action] {
    defer { watched = nil }
    return watched == nil ? [] : [.disarm]
  }

  private mutating func enter(_ look: StopFileLook, _ access: Int32, _ now: Instant) -> [Action] {
    let objection: StopFileObjection?
    switch look {
    case .absent: objection = .noDirectory
    case .failed(let errno): objection = .unreadable(errno: errno)
    case .found(let status):
      objection = rules.objection(toDirectory: status) ?? (access == 0 ? nil : .unwritable(errno: access))
      guard objection != nil else {
        told[.directory] = nil
        let directory = status.identity
        if known == directory { return approach(directory) }
        stage = .claiming(directory)
        return [.claim]
      }
    }
    known = nil
    return disarm() + complain(objection, about: .directory, nil, now) + settle(now)
  }

  private mutating func claimed(_ directory: FileStatus.Identity, _ claim: Claim, _ now: Instant) -> [Action] {
    let objection: StopFileObjection?
    switch claim {
    case .held:
      wasHeld = true
      return disarm() + complain(.heldByAnother, about: .lock, directory, now) + settle(now, for: pace.kept)
    case .ours: objection = nil
    case .unknown(let errno): objection = .unlockable(errno: errno)
    }
    // A new directory, or another one: no process of ours has stopped, whatever a file in it says.
    stage = .clearing(directory)
    return complain(objection, about: .lock, directory, now) + [.clear]
  }

  private mutating func approach(_ directory: FileStatus.Identity) -> [Action] {
    if hasAsked || watched == directory {
      stage = .lookingAtRequest(directory)
      return [.lookAtRequest]
    }
    let disarmed = disarm()
    stage = .arming(directory)
    return disarmed + [.arm]
  }

  private mutating func judge(_ look: StopFileLook, isFirstLook: Bool, _ now: Instant) -> [Action] {
    switch look {
    case .absent:
      told[.request] = nil
      names.forgetTheUnborn()
      return settle(now)
    case .failed(let errno): return complain(.unreadable(errno: errno), about: .request, nil, now) + settle(now)
    case .found(let status):
      names.note(status)
      if let objection = rules.objection(toRequest: status) ?? names.objection(status) {
        return complain(objection, about: .request, status.identity, now) + settle(now)
      }
      if status.version == settled { return settle(now) }
      guard isFirstLook && !wasHeld && status.changed < started else {
        stage = .lookingAtPermission(status.version)
        return [.lookAtPermission]
      }
      stage = .removingStale(status.version)
      return [.removeRequest]
    }
  }

  private mutating func consumed(_ version: FileStatus.Version, _ errno: Int32, _ now: Instant) -> [Action] {
    switch errno {
    case 0: return disarm() + requestPermission(now)
    // Its client has taken it back at this moment: the unlink(2) that succeeds, decides.
    case noSuchFile: return settle(now)
    default:
      // Root's in a sticky directory, or the disk is read-only by now. Asked for once.
      settled = version
      return disarm() + complain(.unremovable(errno: errno), about: .request) + requestPermission(now)
    }
  }

  private mutating func requestPermission(_ now: Instant) -> [Action] {
    (hasAsked, owes) = (true, true)
    return [.wait(until: now + pace.kept)] + converse(StopConversationStateMachine(), .requested(.acceptance), now)
  }

  /// What a conversation about a stop decides, in the words of a file.
  private mutating func converse(
    _ before: StopConversationStateMachine, _ event: StopConversationStateMachine.Event, _ now: Instant
  ) -> [Action] {
    var conversation = before
    let decided = conversation.receive(event, at: now)
    stage = .asking(conversation)
    return decided.flatMap { action -> [Action] in
      switch action {
      case .requestPermission: return [.requestPermission]
      case .requestStop:
        owes = false
        return [.ask]
      case .finish: return settle(now)
      case .refuse: return settle(now, for: pace.kept)
      case .accept, .snapshot, .say, .sayNothing, .look, .ignored: return []
      }
    }
  }

  private mutating func removedStale(_ version: FileStatus.Version, _ errno: Int32, _ now: Instant) -> [Action] {
    if errno == noSuchFile { return settle(now) }
    if errno != 0 { settled = version }
    return complain(.stale(errno: errno), about: .request) + settle(now)
  }

  /// ENOENT, the same on every system.
  private var noSuchFile: Int32 { 2 }
}
