/// What a program does about stop files: when it looks, what it takes for a request, what it removes, whom it tells.
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
    /// While somebody else answers, or a handover is going on.
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
    case claiming(StopFileStatus.Identity)
    case clearing(StopFileStatus.Identity)
    case arming(StopFileStatus.Identity)
    case lookingAtRequest(StopFileStatus.Identity)
    case lookingWhetherToTake(StopFileStatus.Version)
    /// For the one whose removal fails because it is gone, the request was taken back.
    case consuming(StopFileStatus.Version)
    case removingStale(StopFileStatus.Version)
    /// It has been taken, and is to be asked for.
    case lookingWhetherToAsk
    case waiting
    case left
  }

  package private(set) var stage = Stage.idle
  /// Events that could not be, for the tests; a stop never crashes because of one.
  package private(set) var ignored: [Event] = []
  private let rules: StopFileRules
  private let started: Int64
  private let pace: Pace
  /// The directory whose changes are told of.
  private var watched: StopFileStatus.Identity?
  /// The directory in which a file has been looked at since it is there: what comes later, is new.
  private var known: StopFileStatus.Identity?
  /// What was decided, and stays because it cannot be removed.
  private var settled: StopFileStatus.Version?
  var told: [Place: Told] = [:]
  var quietUntil: Instant?
  private var isOutdated = false
  /// A process that ends with a watch takes 5 to 24 ms longer to be gone (measured; the kernel waits until nobody uses the
  /// watch any more): so after the first request it looks now and then.
  private var hasAsked = false
  /// Somebody else answered before: then what is there, was meant for a process that lived as this one did.
  private var wasHeld = false
  /// A request has been taken that is not asked for yet.
  private var owes = false

  struct Told: Hashable {
    var file: StopFileStatus.Identity?
    var objection: StopFileObjection
  }

  /// - Parameters:
  ///   - started: When the process started, in nanoseconds since 1970. A file that is there at the first look, is stale when
  ///     it is older than that; one that was not there is not, whatever its time says: the clock of a network file system is
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
    case .changed: return changed(now)
    case .ended: return ended(now)
    case .due: return due(now)
    case .began, .directory, .claimed, .cleared, .armed, .request, .mayTake, .removed, .mayAsk:
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
    case (.lookingWhetherToTake(let version), .mayTake(let may)):
      guard may else { return settle(now, for: pace.kept) }
      stage = .consuming(version)
      return [.removeRequest]
    case (.consuming(let version), .removed(let errno)): return consumed(version, errno, now)
    case (.removingStale(let version), .removed(let errno)): return removedStale(version, errno, now)
    case (.lookingWhetherToAsk, .mayAsk(let may)):
      owes = !may
      return may ? [.ask] + settle(now) : settle(now, for: pace.kept)
    // It has left: what was on its way arrives nowhere.
    case (.left, _): return []
    case (.idle, _), (.lookingAtDirectory, _), (.claiming, _), (.clearing, _), (.arming, _), (.lookingAtRequest, _),
      (.lookingWhetherToTake, _), (.consuming, _), (.removingStale, _), (.lookingWhetherToAsk, _), (.waiting, _):
      ignored.append(event)
      return []
    }
  }

  private mutating func changed(_ now: Instant) -> [Action] {
    switch stage {
    case .waiting: return lookOn(now)
    case .lookingAtDirectory, .claiming, .clearing, .arming, .lookingAtRequest, .lookingWhetherToTake, .consuming,
      .removingStale, .lookingWhetherToAsk:
      isOutdated = true
      return []
    case .idle:
      ignored.append(.changed)
      return []
    case .left: return []
    }
  }

  private mutating func ended(_ now: Instant) -> [Action] {
    switch stage {
    case .waiting: return disarm() + lookOn(now)
    case .lookingAtDirectory, .claiming, .clearing, .arming, .lookingAtRequest, .lookingWhetherToTake, .consuming,
      .removingStale, .lookingWhetherToAsk:
      isOutdated = true
      return disarm()
    case .idle:
      ignored.append(.ended)
      return []
    case .left: return []
    }
  }

  private mutating func due(_ now: Instant) -> [Action] {
    switch stage {
    case .waiting: return lookOn(now)
    // The answer may take a while, and is waited for.
    case .lookingWhetherToAsk: return [.wait(until: now + pace.kept)]
    case .idle, .lookingAtDirectory, .claiming, .clearing, .arming, .lookingAtRequest, .lookingWhetherToTake,
      .consuming,
      .removingStale:
      ignored.append(.due)
      return []
    case .left: return []
    }
  }

  private mutating func leave(passingOn: Bool = false) -> [Action] {
    guard stage != .left else { return [] }
    stage = .left
    defer { owes = false }
    return disarm() + (passingOn && owes ? [.putBack] : [])
  }

  private mutating func lookOn(_ now: Instant) -> [Action] { owes ? lookWhetherToAsk(now) : lookAgain() }

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

  private mutating func claimed(_ directory: StopFileStatus.Identity, _ claim: Claim, _ now: Instant) -> [Action] {
    let objection: StopFileObjection?
    switch claim {
    case .held:
      wasHeld = true
      return disarm() + complain(.heldByAnother, about: .lock, directory, now) + settle(now, for: pace.kept)
    case .ours: objection = nil
    case .unknown(let errno): objection = .unlockable(errno: errno)
    }
    // A new directory, or another one: nobody of ours has stopped, whatever a file in it says.
    stage = .clearing(directory)
    return complain(objection, about: .lock, directory, now) + [.clear]
  }

  private mutating func approach(_ directory: StopFileStatus.Identity) -> [Action] {
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
      return settle(now)
    case .failed(let errno): return complain(.unreadable(errno: errno), about: .request, nil, now) + settle(now)
    case .found(let status):
      if let objection = rules.objection(toRequest: status) {
        return complain(objection, about: .request, status.identity, now) + settle(now)
      }
      if status.version == settled { return settle(now) }
      guard isFirstLook && !wasHeld && status.changed < started else {
        stage = .lookingWhetherToTake(status.version)
        return [.lookWhetherToTake]
      }
      stage = .removingStale(status.version)
      return [.removeRequest]
    }
  }

  private mutating func consumed(_ version: StopFileStatus.Version, _ errno: Int32, _ now: Instant) -> [Action] {
    switch errno {
    case 0: return disarm() + lookWhetherToAsk(now)
    // Whoever made it, has taken it back at this moment: whose unlink(2) succeeds, decides.
    case noSuchFile: return settle(now)
    default:
      // Root's in a sticky directory, or the disk is read-only by now. Asked for once.
      settled = version
      return disarm() + complain(.unremovable(errno: errno), about: .request) + lookWhetherToAsk(now)
    }
  }

  private mutating func lookWhetherToAsk(_ now: Instant) -> [Action] {
    (hasAsked, owes) = (true, true)
    stage = .lookingWhetherToAsk
    return [.wait(until: now + pace.kept), .lookWhetherToAsk]
  }

  private mutating func removedStale(_ version: StopFileStatus.Version, _ errno: Int32, _ now: Instant) -> [Action] {
    if errno == noSuchFile { return settle(now) }
    if errno != 0 { settled = version }
    return complain(.stale(errno: errno), about: .request) + settle(now)
  }

  /// ENOENT, the same on every system.
  private var noSuchFile: Int32 { 2 }
}
