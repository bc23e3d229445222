import GracefulTriggers
import Testing

/// The machine wired to a directory in memory.
struct StopFileClientWorld {
  typealias Machine = StopFileClientStateMachine

  static let start = ContinuousClock.now
  static let second: Int64 = 1_000_000_000

  static func file(
    _ inode: UInt64, _ kind: FileStatus.Kind = .file, user: UInt32 = 1000, changed: Int64 = 1000 * second
  ) -> FileStatus {
    FileStatus(kind, user: user, permissions: 0o600, inode: inode, changed: changed)
  }

  /// - Parameter unwatchedFor: It asks to be told of changes from its beginning on, unless given.
  static func machine(user: UInt32 = 1000, unwatchedFor: Duration = .zero) -> Machine {
    Machine(
      rules: StopFileRules(user: user), wallClock: 1000 * second, deadline: start + .seconds(30),
      pace: .init(unwatchedFor: unwatchedFor))
  }

  var machine: Machine
  var now = StopFileClientWorld.start
  var directory: StopFileLook = .found(
    FileStatus(.directory, user: 1000, permissions: 0o700, inode: 7, changed: 0))
  var answer: StopFileLook = .absent
  var request: StopFileLook = .absent
  var creation: StopFileLook = .found(StopFileClientWorld.file(50))
  var canArm = true
  var process: Int32?
  var created = 0
  var cleared = 0
  var takenBack = 0
  var told: [Machine.Progress] = []
  var ending: Machine.Ending?
  var wait: Duration?

  init(user: UInt32 = 1000, unwatchedFor: Duration = .zero) {
    machine = StopFileClientWorld.machine(user: user, unwatchedFor: unwatchedFor)
  }

  /// A client that has asked, and whose answer is there by now, of a process that lives; it was not told of it yet.
  static func answered(by process: Int32) -> StopFileClientWorld {
    var world = StopFileClientWorld()
    world.process = process
    world.send(.began)
    (world.answer, world.request) = (.found(file(60)), .absent)
    return world
  }

  mutating func send(_ event: Machine.Event) {
    var events = [event][...]
    var rounds = 0
    while let event = events.popFirst(), rounds < 1000 {
      rounds += 1
      for action in machine.receive(event, at: now) {
        #expect(ending == nil, "\(action) after the end")
        switch action {
        case .lookAtDirectory: events.append(.directory(directory))
        case .lookAtAnswer: events.append(.answer(answer))
        case .lookAtRequest: events.append(.request(request))
        case .clear:
          cleared += 1
          answer = .absent
          events.append(.cleared(0))
        case .clearRequest:
          request = .absent
          creation = .found(StopFileClientWorld.file(50))
          events.append(.cleared(0))
        case .arm: events.append(.armed(canArm))
        case .create:
          created += 1
          if case .found = creation { request = creation }
          events.append(.created(creation))
        case .watchProcess: events.append(.process(lives: process))
        case .wait(let until): wait = until - now
        case .takeBack:
          takenBack += 1
          events.append(.takenBack(request == .absent ? 2 : 0))
          request = .absent
        case .tell(let progress): if progress != .waiting { told.append(progress) }
        case .finish(let how): ending = how
        }
      }
    }
    #expect(rounds < 1000, "it goes round for ever")
    #expect(machine.ignored == [])
  }
}
