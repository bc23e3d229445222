import GracefulTriggers
import TestHost
import Testing

@Suite("What one does who asks by a file, as a value", .valuesOnly)
struct StopFileClientStateMachineTests {
  typealias Machine = StopFileClientStateMachine

  @Test("It asks, is heard, and is answered")
  func answered() {
    var world = StopFileClientWorld()
    world.send(.began)
    #expect(world.created == 1 && world.told == [.asked] && world.wait == .milliseconds(50))
    world.request = .absent
    world.send(.changed)
    #expect(world.told == [.asked, .heard])
    world.answer = .found(StopFileClientWorld.file(60))
    world.send(.changed)
    #expect(world.ending == .stopped && world.takenBack == 0)
  }

  @Test("An answer of an earlier run is none; when it is old it is removed, so that it can be written again")
  func stale() {
    for (changed, cleared) in [(500 * StopFileClientWorld.second, 1), (995 * StopFileClientWorld.second, 0)] {
      var world = StopFileClientWorld()
      world.answer = .found(StopFileClientWorld.file(60, changed: changed))
      world.send(.began)
      for _ in 0..<5 { world.send(.due) }
      #expect(world.ending == nil && world.cleared == cleared)
      // The same number of a file that was removed, and a file that was written over.
      world.answer = .found(StopFileClientWorld.file(60, changed: 1001 * StopFileClientWorld.second))
      world.send(.due)
      #expect(world.ending == .stopped)
    }
  }

  @Test("A program that leaves the request there is answered for all the same, and the request is removed")
  func ancestor() {
    var world = StopFileClientWorld()
    world.send(.began)
    world.answer = .found(StopFileClientWorld.file(60))
    world.send(.due)
    #expect(world.ending == .stopped && world.takenBack == 1)
  }

  @Test("When nobody has taken the request in time, it is taken back")
  func notInTime() {
    var world = StopFileClientWorld()
    world.send(.began)
    world.now += .seconds(30)
    world.send(.due)
    #expect(world.ending == .notInTime(heard: false, running: nil) && world.takenBack == 1)
  }

  @Test("What was taken, is not taken back")
  func takenNotBack() {
    var world = StopFileClientWorld()
    world.send(.began)
    // Taken, and another client has asked since.
    world.request = .found(StopFileClientWorld.file(51))
    world.now += .seconds(30)
    world.send(.due)
    #expect(world.ending == .notInTime(heard: true, running: nil) && world.takenBack == 0)
  }

  @Test("A request of somebody whom the program believes is joined, and left")
  func joined() {
    var world = StopFileClientWorld()
    world.request = .found(StopFileClientWorld.file(51))
    world.creation = .failed(17)
    world.send(.began)
    world.now += .seconds(30)
    world.send(.due)
    #expect(world.ending == .notInTime(heard: nil, running: nil) && world.takenBack == 0)
  }

  @Test(
    "What is in the request's place and is none is left there, and said",
    arguments: [
      (StopFileClientWorld.file(51, .link), StopFileObjection.notAFile(.link)),
      (StopFileClientWorld.file(51, .pipe), .notAFile(.pipe)),
      (StopFileClientWorld.file(51, .directory), .notAFile(.directory)),
      (StopFileClientWorld.file(51, user: 1001), .foreign(owner: 1001, user: 1000)),
    ])
  func inTheWay(status: FileStatus, objection: StopFileObjection) {
    var world = StopFileClientWorld()
    world.request = .found(status)
    world.creation = .failed(17)
    world.send(.began)
    #expect(world.ending == .requestRefused(objection) && world.takenBack == 0)
  }

  @Test("Root's own takes the place of a request that the program would not believe")
  func rootReplaces() {
    var world = StopFileClientWorld(user: 0)
    world.request = .found(StopFileClientWorld.file(51, user: 1001))
    world.creation = .failed(17)
    world.send(.began)
    #expect(world.created == 2 && world.told == [.asked])
  }

  @Test("A request that comes and goes at each try does not hold it up for ever")
  func comesAndGoes() {
    var world = StopFileClientWorld()
    world.creation = .failed(17)
    world.send(.began)
    #expect(world.ending == .createFailed(17) && world.created == 100)
  }

  @Test(
    "A directory that cannot be used ends it at once",
    arguments: [
      (StopFileLook.absent, Machine.Ending.noDirectory), (.failed(13), .directoryFailed(13)),
      (
        .found(FileStatus(.directory, user: 1000, permissions: 0o777, inode: 7, changed: 0)),
        .directoryRefused(.openDirectory)
      ),
      (
        .found(FileStatus(.directory, user: 1001, permissions: 0o700, inode: 7, changed: 0)),
        .directoryRefused(.foreignDirectory(owner: 1001, user: 1000))
      ),
    ])
  func directory(look: StopFileLook, ending: Machine.Ending) {
    var world = StopFileClientWorld()
    world.directory = look
    world.send(.began)
    #expect(world.ending == ending && world.created == 0)
  }

  @Test("Root may ask in the directory of any user, and is answered by that user")
  func root() {
    var world = StopFileClientWorld(user: 0)
    world.send(.began)
    world.answer = .found(StopFileClientWorld.file(60))
    world.send(.changed)
    #expect(world.ending == .stopped)
  }

  @Test("An answer of somebody else does not count, and is told of once")
  func forged() {
    var world = StopFileClientWorld()
    world.send(.began)
    world.answer = .found(StopFileClientWorld.file(60, user: 1001))
    for _ in 0..<3 { world.send(.changed) }
    world.answer = .found(StopFileClientWorld.file(61, .link))
    world.send(.changed)
    #expect(world.ending == nil)
    #expect(
      world.told == [.asked, .refused(.foreign(owner: 1001, user: 1000)), .refused(.notAFile(.link))])
  }

  @Test("An answer that says which process gave it, counts when that process has ended")
  func process() {
    var world = StopFileClientWorld.answered(by: 77)
    world.send(.changed)
    #expect(world.ending == nil && world.told.last == .exiting(process: 77))
    world.send(.exited)
    #expect(world.ending == .stopped)
  }

  @Test("One that answers and does not end has not stopped in time")
  func doesNotEnd() {
    var world = StopFileClientWorld.answered(by: 77)
    world.send(.changed)
    world.now += .seconds(31)
    world.send(.due)
    #expect(world.ending == .notInTime(heard: true, running: 77))
  }

  @Test("Whoever does not want to wait any more, takes his request back")
  func interrupted() {
    var world = StopFileClientWorld()
    world.send(.began)
    world.send(.interrupted)
    #expect(world.ending == .interrupted(heard: false) && world.takenBack == 1)
  }

  @Test("An answer that has come and gone again, as one does when the program is started again at once, counts")
  func cameAndWent() {
    var world = StopFileClientWorld()
    world.send(.began)
    world.request = .absent
    world.send(.changed)
    world.send(.arrived)
    #expect(world.ending == .stopped && world.takenBack == 0)
  }

  @Test("One that is still there is looked at as ever")
  func cameAndStayed() {
    var world = StopFileClientWorld.answered(by: 77)
    world.send(.arrived)
    #expect(world.ending == nil && world.told.last == .exiting(process: 77))
    var forged = StopFileClientWorld()
    forged.send(.began)
    forged.answer = .found(StopFileClientWorld.file(60, .link))
    forged.send(.arrived)
    forged.answer = .absent
    forged.send(.changed)
    #expect(forged.ending == nil)
  }

  @Test(
    "Where everybody may write, whoever sees an answer no more does not know whose it was", arguments: [0o1777, 0o1770])
  func cameAndWentInTmp(permissions: UInt32) {
    var world = StopFileClientWorld()
    world.directory = .found(FileStatus(.directory, user: 0, permissions: permissions, inode: 7, changed: 0))
    world.send(.began)
    for _ in 0..<3 { world.send(.arrived) }
    #expect(world.ending == nil && world.wait == .milliseconds(50))
  }

  @Test("It asks to be told of changes when it has waited for a second, and looks often enough until then")
  func watchesLate() {
    var world = StopFileClientWorld(unwatchedFor: .seconds(1))
    world.send(.began)
    #expect(world.created == 1 && world.wait == .milliseconds(1))
    for time in [Duration.milliseconds(400), .milliseconds(999)] {
      world.now = StopFileClientWorld.start + time
      world.send(.due)
      #expect(world.wait == .milliseconds(5))
    }
    world.now = StopFileClientWorld.start + .seconds(1)
    world.send(.due)
    #expect(world.wait == .milliseconds(50))
  }

  @Test("Without being told of changes it looks every millisecond at first, and every 5 ms at last")
  func unwatched() {
    var world = StopFileClientWorld()
    world.canArm = false
    world.send(.began)
    #expect(world.wait == .milliseconds(1))
    world.now += .milliseconds(40)
    world.send(.due)
    #expect(world.wait == .milliseconds(2))
    world.now += .seconds(10)
    world.send(.due)
    #expect(world.wait == .milliseconds(5))
    world.canArm = true
    world.send(.due)
    #expect(world.wait == .milliseconds(50))
  }

  @Test("Whatever comes in whatever order: it ends once, and takes nothing back that it did not make")
  func everySequence() {
    let events: [Machine.Event] = [
      .began, .directory(.found(FileStatus(.directory, user: 1000, permissions: 0o700, inode: 7, changed: 0))),
      .answer(.absent), .answer(.found(StopFileClientWorld.file(60))), .request(.absent),
      .request(.found(StopFileClientWorld.file(50))), .cleared(0),
      .armed(true), .created(.found(StopFileClientWorld.file(50))), .created(.failed(17)), .created(.failed(28)),
      .changed,
      .arrived, .ended,
      .due,
      .process(lives: nil), .process(lives: 7), .exited, .interrupted, .takenBack(0), .takenBack(2),
    ]
    var explored = 0
    func must(_ holds: Bool, _ what: String, _ event: Machine.Event) {
      if !holds { Issue.record("\(what) at \(event)") }
    }
    func explore(_ machine: Machine, _ depth: Int, _ isMine: Bool, _ hasEnded: Bool, _ late: Bool) {
      explored += 1
      guard depth > 0 else { return }
      for event in events {
        var machine = machine
        let actions = machine.receive(
          event, at: late ? StopFileClientWorld.start + .seconds(40) : StopFileClientWorld.start)
        if hasEnded { must(actions == [], "acts after its end", event) }
        let isMine = isMine || event == .created(.found(StopFileClientWorld.file(50)))
        if actions.contains(.takeBack) { must(isMine, "takes back what is another's", event) }
        let ends = actions.contains { if case .finish = $0 { true } else { false } }
        explore(machine, depth - 1, isMine, hasEnded || ends, late)
      }
    }
    explore(StopFileClientWorld.machine(), 3, false, false, false)
    var waiting = StopFileClientWorld.machine()
    for event in [events[0], events[1], .answer(.absent), events[8], .armed(true), .answer(.absent), events[5]] {
      _ = waiting.receive(event, at: StopFileClientWorld.start)
    }
    #expect(waiting.stage == .waiting)
    explore(waiting, 4, true, false, false)
    explore(waiting, 4, true, false, true)
    #expect(explored > 300_000)
  }
}
