import GracefulTriggers
import TestHost
import Testing

@Suite("What a program does about stop files, as a value", .valuesOnly)
struct StopFileWatchStateMachineTests {
  typealias Machine = StopFileWatchStateMachine

  @Test("A request that comes later is removed, then asked for, once")
  func request() {
    var world = WatchedWorld()
    world.send(.began)
    #expect(world.isArmed && world.wait == .seconds(1) && world.cleared == 1)
    world.request = .found(WatchedWorld.file())
    world.send(.changed)
    #expect(world.asked == 1 && world.removed == 1)
    #expect(!world.isArmed && world.wait == .milliseconds(100), "it may be about to end")
    world.send(.changed)
    world.send(.due)
    #expect(world.asked == 1 && world.told == [])
    #expect(world.cleared == 1, "only what an earlier run has answered is removed")
  }

  @Test("The next request is asked for, too")
  func requests() {
    var world = WatchedWorld()
    world.send(.began)
    for inode in 50..<53 as Range<UInt64> {
      world.request = .found(WatchedWorld.file(inode: inode))
      world.send(.changed)
    }
    #expect(world.asked == 3)
  }

  @Test("One that is there at the first look stops nothing if it is older than the process, and stops it if it is not")
  func stale() {
    var world = WatchedWorld()
    world.request = .found(WatchedWorld.file(changed: 99))
    world.send(.began)
    #expect(world.asked == 0 && world.removed == 1 && world.told == [.stale(errno: 0)])
    world = WatchedWorld()
    world.request = .found(WatchedWorld.file(changed: 100))
    world.send(.began)
    #expect(world.asked == 1)
  }

  @Test("One that comes later is new, whatever the clock of its file system says")
  func otherClock() {
    var world = WatchedWorld()
    world.send(.began)
    world.request = .found(WatchedWorld.file(changed: -5))
    world.send(.due)
    #expect(world.asked == 1)
  }

  @Test("A stale one that cannot be removed is told of once, and its successor is heard")
  func staleThatStays() {
    var world = WatchedWorld()
    world.request = .found(WatchedWorld.file(user: 0, changed: 50))
    world.removal = 1
    world.send(.began)
    for _ in 0..<5 { world.send(.due) }
    #expect(world.asked == 0 && world.told == [.stale(errno: 1)])
    world.request = .found(WatchedWorld.file(user: 0, changed: 300))
    world.send(.changed)
    for _ in 0..<5 { world.send(.due) }
    #expect(world.asked == 1 && world.told == [.stale(errno: 1), .unremovable(errno: 1)])
  }

  @Test("One that was taken back at the moment of its removal is not asked for")
  func takenBack() {
    var world = WatchedWorld()
    world.send(.began)
    world.request = .found(WatchedWorld.file())
    world.removal = 2
    world.send(.changed)
    #expect(world.asked == 0)
  }

  static let bad: [(FileStatus, StopFileObjection)] = [
    (WatchedWorld.file(.directory), .notAFile(.directory)), (WatchedWorld.file(.link), .notAFile(.link)),
    (WatchedWorld.file(.pipe), .notAFile(.pipe)),
    (WatchedWorld.file(.socket), .notAFile(.socket)), (WatchedWorld.file(.device), .notAFile(.device)),
    (WatchedWorld.file(user: 1001), .foreign(owner: 1001, user: 1000)), (WatchedWorld.file(links: 2), .hardLink),
    // Another user's is never removed, however old it is.
    (WatchedWorld.file(user: 1001, changed: 5), .foreign(owner: 1001, user: 1000)),
  ]

  @Test("What is no request is neither removed nor asked for, and told of once", arguments: bad.indices)
  func isNoRequest(index: Int) {
    let (status, objection) = Self.bad[index]
    var world = WatchedWorld()
    world.request = .found(status)
    world.send(.began)
    for count in 1...10 {
      world.now += .seconds(2)
      // Touched: the same file.
      var touched = status
      touched.changed += Int64(count)
      world.request = .found(touched)
      world.send(.due)
      world.send(.changed)
    }
    #expect(world.asked == 0 && world.removed == 0 && world.told == [objection])
  }

  @Test("Somebody who makes it anew all the time is told of once a second")
  func flood() {
    var world = WatchedWorld()
    world.send(.began)
    for number in 0..<1000 {
      world.request = .found(WatchedWorld.file(.link, inode: UInt64(number)))
      world.now += .milliseconds(5)
      world.send(.changed)
    }
    #expect((5...6).contains(world.told.count))
  }

  @Test("Root may ask")
  func root() {
    var world = WatchedWorld()
    world.send(.began)
    world.request = .found(WatchedWorld.file(user: 0))
    world.send(.changed)
    #expect(world.asked == 1)
  }

  static let directories: [(StopFileLook, Int32, StopFileObjection)] = [
    (.absent, 0, .noDirectory), (.failed(13), 0, .unreadable(errno: 13)),
    (
      .found(FileStatus(.directory, user: 1001, permissions: 0o700, inode: 9, changed: 0)), 0,
      .foreignDirectory(owner: 1001, user: 1000)
    ),
    (.found(FileStatus(.directory, user: 1000, permissions: 0o777, inode: 9, changed: 0)), 0, .openDirectory),
    (.found(FileStatus(.directory, user: 1000, permissions: 0o720, inode: 9, changed: 0)), 0, .openDirectory),
    (.found(WatchedWorld.directory), 13, .unwritable(errno: 13)),
  ]

  @Test(
    "A directory that cannot be used is told of once, its files are not looked at, and it is used as soon as it can be",
    arguments: directories.indices)
  func unusable(index: Int) {
    let (look, access, objection) = Self.directories[index]
    var world = WatchedWorld()
    (world.directory, world.access) = (look, access)
    world.request = .found(WatchedWorld.file())
    world.send(.began)
    for _ in 0..<3 {
      world.now += .seconds(2)
      world.send(.due)
    }
    #expect(world.asked == 0 && world.told == [objection] && !world.isArmed && world.wait == .milliseconds(100))
    (world.directory, world.access) = (.found(WatchedWorld.directory), 0)
    world.send(.due)
    #expect(world.asked == 1 && world.wait == .milliseconds(100))
  }

  @Test("Root's sticky directory will do")
  func sticky() {
    var world = WatchedWorld()
    world.directory = .found(FileStatus(.directory, user: 0, permissions: 0o1777, inode: 2, changed: 0))
    world.send(.began)
    #expect(world.isArmed && world.told == [])
  }

  @Test("A directory that is deleted and made again is watched again, and an old file in it is stale")
  func deleted() {
    var world = WatchedWorld()
    world.send(.began)
    world.directory = .absent
    world.send(.ended)
    #expect(!world.isArmed && world.told == [.noDirectory])
    world.directory = .found(WatchedWorld.other)
    world.request = .found(WatchedWorld.file(changed: 3))
    world.send(.due)
    #expect(world.isArmed && world.asked == 0 && world.cleared == 2)
    world.request = .found(WatchedWorld.file())
    world.send(.changed)
    #expect(world.asked == 1)
  }

  @Test("A directory that was replaced unnoticed is found at the next look")
  func replaced() {
    var world = WatchedWorld()
    world.send(.began)
    world.directory = .found(WatchedWorld.other)
    world.send(.due)
    #expect(world.isArmed)
    world.request = .found(WatchedWorld.file())
    world.send(.changed)
    #expect(world.asked == 1)
  }

  @Test("Without being told of changes it looks more often, and tries again to be told")
  func unwatched() {
    var world = WatchedWorld()
    world.canArm = false
    world.send(.began)
    #expect(world.wait == .milliseconds(100))
    world.canArm = true
    world.send(.due)
    #expect(world.isArmed && world.wait == .seconds(1))
  }

  @Test("Without being told of changes a request is found")
  func found() {
    var world = WatchedWorld()
    world.canArm = false
    world.send(.began)
    world.request = .found(WatchedWorld.file())
    world.send(.due)
    #expect(world.asked == 1)
  }

  @Test("An answer of an earlier run that cannot be removed is told of")
  func answerStays() {
    var world = WatchedWorld()
    world.clearing = 21
    world.send(.began)
    #expect(world.told == [.answerStays(errno: 21)] && world.isArmed)
  }

  @Test("A change while it goes round has it go round once more")
  func changeInBetween() {
    var machine = WatchedWorld.machine()
    #expect(machine.receive(.began, at: WatchedWorld.start) == [.lookAtDirectory])
    #expect(machine.receive(.directory(.found(WatchedWorld.directory), access: 0), at: WatchedWorld.start) == [.claim])
    #expect(machine.receive(.claimed(.ours), at: WatchedWorld.start) == [.clear])
    #expect(machine.receive(.cleared(2), at: WatchedWorld.start) == [.arm])
    #expect(machine.receive(.armed(true), at: WatchedWorld.start) == [.lookAtRequest])
    #expect(machine.receive(.changed, at: WatchedWorld.start) == [])
    #expect(machine.receive(.request(.absent), at: WatchedWorld.start) == [.lookAtDirectory])
  }

  /// All sequences of events up to this length, and what must hold in each.
  @Test("Whatever comes in whatever order: it asks only for what it removed, and after it has left it does nothing")
  func everySequence() {
    let events: [Machine.Event] = [
      .began, .changed, .ended, .due, .directory(.found(WatchedWorld.directory), access: 0),
      .directory(.absent, access: 0),
      .cleared(0), .armed(true), .armed(false), .request(.found(WatchedWorld.file())),
      .request(.found(WatchedWorld.file(changed: 9))),
      .request(.found(WatchedWorld.file(.link))), .request(.absent), .removed(0), .removed(1), .removed(2),
      .claimed(.ours),
      .claimed(.held), .permission(true), .permission(false), .decided(true), .decided(false), .passedOn, .left,
    ]
    var explored = 0
    // An expectation costs more than the machine.
    func must(_ holds: Bool, _ what: String, _ event: Machine.Event) {
      if !holds { Issue.record("\(what) at \(event)") }
    }
    func explore(_ machine: Machine, _ depth: Int, _ armed: Int, _ hasLeft: Bool, _ removing: Bool, _ owed: Bool) {
      explored += 1
      guard depth > 0 else { return }
      for event in events {
        var machine = machine
        let actions = machine.receive(event, at: WatchedWorld.start)
        var (armed, removing, owed) = (armed, removing, owed)
        if removing, event == .removed(0) || event == .removed(1) { owed = true }
        for action in actions {
          switch action {
          case .ask:
            must(owed && event == .decided(true), "asks for what it did not remove, or may not", event)
            owed = false
          case .putBack:
            must(owed && event == .passedOn, "puts back what it did not remove", event)
            owed = false
          case .arm: must(armed == 0, "two watches", event)
          case .disarm: armed = 0
          default: break
          }
        }
        if case .removed = event { removing = false }
        if actions.contains(.removeRequest) { removing = true }
        if event == .armed(true), machine.ignored.last != event { armed = hasLeft ? armed : 1 }
        if hasLeft { must(actions == [], "acts after it has left", event) }
        let waits = actions.filter { if case .wait = $0 { true } else { false } }
        let isWaiting = machine.stage == .waiting || machine.isAsking
        must((isWaiting ? 1 : 0) == waits.count || actions == [], "waits and does not wait", event)
        explore(machine, depth - 1, armed, hasLeft || machine.stage == .left, removing, owed)
      }
    }
    explore(WatchedWorld.machine(), 3, 0, false, false, false)
    // Deeper, from where it waits.
    var waiting = WatchedWorld.machine()
    for event in [
      Machine.Event.began, .directory(.found(WatchedWorld.directory), access: 0), .claimed(.ours), .cleared(0),
      .armed(true), .request(.absent),
    ] { _ = waiting.receive(event, at: WatchedWorld.start) }
    #expect(waiting.stage == .waiting)
    explore(waiting, 3, 1, false, false, false)
    // And from where a request has been found.
    var finding = waiting
    for event in [
      Machine.Event.changed, .directory(.found(WatchedWorld.directory), access: 0),
      .request(.found(WatchedWorld.file())),
    ] { _ = finding.receive(event, at: WatchedWorld.start) }
    #expect(finding.stage == .lookingAtPermission(WatchedWorld.file().version))
    explore(finding, 4, 1, false, false, false)
    #expect(explored > 150_000)
  }
}
