import GracefulTriggers
import TestHost
import Testing

@Suite(
  "What a program does about stop files while another one answers, as a value", .valuesOnly)
struct StopFilesOfTwoTests {
  @Test("While another process answers, nothing is touched; then a request that was made meanwhile is asked for")
  func heldByAnother() {
    var world = WatchedWorld()
    world.claim = .held
    world.request = .found(WatchedWorld.file(changed: 50))
    world.send(.began)
    for _ in 0..<5 {
      world.now += .milliseconds(20)
      world.send(.due)
    }
    #expect(world.cleared == 0 && world.removed == 0 && world.asked == 0 && !world.isArmed)
    #expect(world.told == [.heldByAnother] && world.wait == .milliseconds(20))
    world.claim = .ours
    world.send(.due)
    #expect(world.cleared == 1 && world.asked == 1, "older than this process, but not than the one that answered")
  }

  @Test("Where it cannot be known who answers, it is told of once, and requests are taken")
  func unlockable() {
    var world = WatchedWorld()
    world.claim = .unknown(13)
    world.send(.began)
    world.request = .found(WatchedWorld.file())
    world.send(.changed)
    world.send(.due)
    #expect(world.asked == 1 && world.told == [.unlockable(errno: 13)])
  }

  @Test("While a handover is going on a request stays where it is, and is taken when that has come to nothing")
  func handingOver() {
    var world = WatchedWorld()
    world.send(.began)
    world.permission = false
    world.request = .found(WatchedWorld.file())
    world.send(.changed)
    #expect(world.removed == 0 && world.wait == .milliseconds(20))
    world.permission = true
    world.send(.due)
    #expect(world.removed == 1 && world.asked == 1)
  }

  @Test("One that was taken as a handover began is asked for when that has come to nothing", arguments: [false, true])
  func takenTooSoon(isLate: Bool) {
    var world = WatchedWorld()
    world.send(.began)
    world.decided = isLate ? nil : false
    world.request = .found(WatchedWorld.file())
    world.send(.changed)
    if isLate {
      world.send(.due)
      world.send(.decided(false))
    }
    #expect(world.removed == 1 && world.asked == 0 && world.wait == .milliseconds(20))
    world.decided = true
    world.send(.due)
    #expect(world.asked == 1)
    world.send(.passedOn)
    #expect(world.putBack == 0)
  }

  @Test("One that was taken as a handover began is put back for the successor that takes over")
  func putBack() {
    var world = WatchedWorld()
    world.send(.began)
    world.decided = false
    world.request = .found(WatchedWorld.file())
    world.send(.changed)
    world.send(.passedOn)
    world.send(.due)
    #expect(world.asked == 0 && world.putBack == 1 && world.machine.stage == .left)
  }
}
