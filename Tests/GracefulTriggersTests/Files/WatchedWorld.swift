import GracefulTriggers
import Testing

/// The machine wired to a directory in memory: what it does until it waits.
struct WatchedWorld {
  typealias Machine = StopFileWatchStateMachine

  static let start = ContinuousClock.now
  static let directory = FileStatus(.directory, user: 1000, permissions: 0o700, inode: 7, changed: 0)
  static let other = FileStatus(.directory, user: 1000, permissions: 0o700, inode: 8, changed: 0)

  static func file(
    _ kind: FileStatus.Kind = .file, user: UInt32 = 1000, permissions: UInt32 = 0o600, links: UInt64 = 1,
    inode: UInt64 = 50, changed: Int64 = 200, born: Int64 = 0
  ) -> FileStatus {
    FileStatus(
      kind, user: user, permissions: permissions, links: links, inode: inode, changed: changed, born: born)
  }

  static func machine() -> Machine {
    Machine(
      rules: StopFileRules(user: 1000), started: 100,
      pace: .init(watched: .seconds(1), unwatched: .milliseconds(100)))
  }

  var machine = WatchedWorld.machine()
  var directory: StopFileLook = .found(WatchedWorld.directory)
  var access: Int32 = 0
  var request: StopFileLook = .absent
  var removal: Int32 = 0
  var clearing: Int32 = 2
  var canArm = true
  var claim = Machine.Claim.ours
  var permission = true
  /// `nil`: the answer comes later.
  var decided: Bool? = true
  var putBack = 0
  var isArmed = false
  var now = WatchedWorld.start
  var asked = 0
  var cleared = 0
  var removed = 0
  var told: [StopFileObjection] = []
  var wait: Duration?

  mutating func send(_ event: Machine.Event) {
    var events = [event][...]
    var rounds = 0
    while let event = events.popFirst(), rounds < 100 {
      rounds += 1
      for action in machine.receive(event, at: now) {
        switch action {
        case .lookAtDirectory: events.append(.directory(directory, access: access))
        case .claim: events.append(.claimed(claim))
        case .lookAtPermission: events.append(.permission(permission))
        case .requestPermission: if let decided { events.append(.decided(decided)) }
        case .putBack: putBack += 1
        case .clear:
          cleared += 1
          events.append(.cleared(clearing))
        case .arm:
          #expect(!isArmed, "two watches")
          isArmed = canArm
          events.append(.armed(canArm))
        case .disarm: isArmed = false
        case .lookAtRequest: events.append(.request(request))
        case .removeRequest:
          removed += 1
          if removal == 0 { request = .absent }
          events.append(.removed(removal))
        case .ask: asked += 1
        case .tell(_, let objection): told.append(objection)
        case .wait(let until): wait = until - now
        }
      }
    }
    #expect(rounds < 100, "it goes round for ever")
    #expect(machine.ignored == [])
  }
}

extension StopFileWatchStateMachine {
  /// Whether it waits for the decision whether its request may be asked for.
  var isAsking: Bool { if case .asking = stage { true } else { false } }
}
