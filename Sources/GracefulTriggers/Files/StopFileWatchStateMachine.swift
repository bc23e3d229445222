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

    package init(watched: Duration = .seconds(1), unwatched: Duration = .milliseconds(100)) {
      self.watched = watched
      self.unwatched = unwatched
    }
  }

  package enum Stage: Hashable, Sendable {
    case idle
    case lookingAtDirectory
    case clearing(StopFileStatus.Identity)
    case arming(StopFileStatus.Identity)
    case lookingAtRequest(StopFileStatus.Identity)
    /// For the one whose removal fails because it is gone, the request was taken back.
    case consuming(StopFileStatus.Version)
    case removingStale(StopFileStatus.Version)
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
  private var told: [Place: Told] = [:]
  private var quietUntil: Instant?
  private var isOutdated = false
  /// A process that ends with a watch takes 5 to 24 ms longer to be gone (measured; the kernel waits until nobody uses the
  /// watch any more): so after the first request it looks now and then.
  private var hasAsked = false

  private struct Told: Hashable {
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
    switch (stage, event) {
    case (.idle, .began), (.waiting, .changed), (.waiting, .due): return lookAgain()
    case (.waiting, .ended): return disarm() + lookAgain()
    case (.lookingAtDirectory, .directory(let look, let access)): return enter(look, access, now)
    case (.clearing(let directory), .cleared(let errno)):
      return complain(errno == 0 || errno == noSuchFile ? nil : .answerStays(errno: errno)) + approach(directory)
    case (.arming(let directory), .armed(let isArmed)):
      watched = isArmed ? directory : nil
      stage = .lookingAtRequest(directory)
      return [.lookAtRequest]
    case (.lookingAtRequest(let directory), .request(let look)):
      defer { if case .failed = look {} else { known = directory } }
      return judge(look, isFirstLook: known != directory, now)
    case (.consuming(let version), .removed(let errno)): return consumed(version, errno, now)
    case (.removingStale(let version), .removed(let errno)): return removedStale(version, errno, now)
    case (.lookingAtDirectory, .changed), (.clearing, .changed), (.arming, .changed), (.lookingAtRequest, .changed),
      (.consuming, .changed), (.removingStale, .changed):
      isOutdated = true
      return []
    case (.lookingAtDirectory, .ended), (.clearing, .ended), (.arming, .ended), (.lookingAtRequest, .ended),
      (.consuming, .ended), (.removingStale, .ended):
      isOutdated = true
      return disarm()
    case (.idle, .left), (.lookingAtDirectory, .left), (.clearing, .left), (.arming, .left), (.lookingAtRequest, .left),
      (.consuming, .left), (.removingStale, .left), (.waiting, .left):
      stage = .left
      return disarm()
    // It has left: what was on its way arrives nowhere.
    case (.left, .began), (.left, .changed), (.left, .ended), (.left, .due), (.left, .directory), (.left, .cleared),
      (.left, .armed), (.left, .request), (.left, .removed), (.left, .left):
      return []
    case (.idle, _), (.lookingAtDirectory, _), (.clearing, _), (.arming, _), (.lookingAtRequest, _), (.consuming, _),
      (.removingStale, _), (.waiting, _):
      ignored.append(event)
      return []
    }
  }

  // MARK: The round

  private mutating func lookAgain() -> [Action] {
    stage = .lookingAtDirectory
    isOutdated = false
    return [.lookAtDirectory]
  }

  private mutating func settle(_ now: Instant) -> [Action] {
    if isOutdated { return lookAgain() }
    stage = .waiting
    return [.wait(until: now + (watched == nil ? pace.unwatched : pace.watched))]
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
        // A new one, or another one: nobody of ours has stopped, whatever a file in it says.
        stage = .clearing(directory)
        return [.clear]
      }
    }
    known = nil
    return disarm() + complain(objection, about: .directory, nil, now) + settle(now)
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
      stage = isFirstLook && status.changed < started ? .removingStale(status.version) : .consuming(status.version)
      return [.removeRequest]
    }
  }

  private mutating func consumed(_ version: StopFileStatus.Version, _ errno: Int32, _ now: Instant) -> [Action] {
    switch errno {
    case 0:
      hasAsked = true
      return [.ask] + disarm() + settle(now)
    // Whoever made it, has taken it back at this moment: whose unlink(2) succeeds, decides.
    case noSuchFile: return settle(now)
    default:
      // Root's in a sticky directory, or the disk is read-only by now. Asked for once.
      settled = version
      hasAsked = true
      return [.ask] + disarm() + complain(.unremovable(errno: errno), about: .request) + settle(now)
    }
  }

  private mutating func removedStale(_ version: StopFileStatus.Version, _ errno: Int32, _ now: Instant) -> [Action] {
    if errno == noSuchFile { return settle(now) }
    if errno != 0 { settled = version }
    return complain(.stale(errno: errno), about: .request) + settle(now)
  }

  // MARK: What is told

  /// What happens once.
  private func complain(_ objection: StopFileObjection?, about place: Place = .answer) -> [Action] {
    objection.map { [.tell(place, $0)] } ?? []
  }

  /// What may be found in every round: told once, and again when it is another file, or there is another reason; and no more
  /// often than once a second, however fast somebody changes it.
  private mutating func complain(
    _ objection: StopFileObjection?, about place: Place, _ file: StopFileStatus.Identity?, _ now: Instant
  ) -> [Action] {
    guard let objection else { return [] }
    let telling = Told(file: file, objection: objection)
    guard told[place] != telling else { return [] }
    // Found again in a later round, if it is still there then.
    if let quietUntil, now < quietUntil { return [] }
    told[place] = telling
    quietUntil = now + .seconds(1)
    return [.tell(place, objection)]
  }

  /// ENOENT, the same on every system.
  private var noSuchFile: Int32 { 2 }
}
