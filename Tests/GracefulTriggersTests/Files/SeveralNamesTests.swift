import GracefulTriggers
import Testing

/// A name is one fact of a file at one moment.
@Suite("T3: A file that had several names")
struct SeveralNamesTests {
  @Test("is never taken for a request, although the other names are gone, and it was away meanwhile")
  func never() {
    var world = WatchedWorld()
    world.send(.began)
    world.request = .found(WatchedWorld.file(links: 2, born: 150))
    world.send(.changed)
    world.request = .found(WatchedWorld.file(changed: 300, born: 150))
    world.send(.changed)
    world.request = .absent
    world.send(.changed)
    world.request = .found(WatchedWorld.file(changed: 400, born: 150))
    world.now += .seconds(5)
    world.send(.changed)
    #expect(world.asked == 0 && world.removed == 0)
    #expect(world.told.allSatisfy { $0 == .hardLink })
  }

  @Test("leaves its number to another one, which was born later and is a request")
  func reused() {
    var world = WatchedWorld()
    world.send(.began)
    world.request = .found(WatchedWorld.file(links: 2, born: 150))
    world.send(.changed)
    world.request = .found(WatchedWorld.file(changed: 300, born: 290))
    world.send(.changed)
    #expect(world.asked == 1)
  }

  @Test("is forgotten once it is gone, where the file system does not say when a file was born")
  func unborn() {
    var world = WatchedWorld()
    world.send(.began)
    world.request = .found(WatchedWorld.file(links: 2))
    world.send(.changed)
    world.request = .found(WatchedWorld.file(changed: 300))
    world.send(.changed)
    #expect(world.asked == 0)
    world.request = .absent
    world.send(.changed)
    world.request = .found(WatchedWorld.file(changed: 400))
    world.send(.changed)
    #expect(world.asked == 1)
  }

  @Test(
    "A file that others may read and write is none either: each of them could give it the name",
    arguments: [0o666, 0o1777] as [UInt32])
  func open(permissions: UInt32) {
    var world = WatchedWorld()
    world.send(.began)
    world.request = .found(WatchedWorld.file(permissions: permissions))
    world.send(.changed)
    #expect(world.asked == 0 && world.removed == 0 && world.told == [.openFile])
    // As the ancestor makes it, with a mode of 600 in decimal.
    world.request = .found(WatchedWorld.file(permissions: 0o1130, inode: 51))
    world.now += .seconds(2)
    world.send(.changed)
    #expect(world.asked == 1)
  }

  @Test("Of many the newest are remembered")
  func many() {
    var names = SeveralNames()
    for inode in 0..<1000 { names.note(WatchedWorld.file(links: 2, inode: UInt64(inode), born: 1)) }
    #expect(names.objection(WatchedWorld.file(inode: 999, born: 1)) == .hardLink)
    #expect(names.objection(WatchedWorld.file(inode: 0, born: 1)) == nil)
  }
}
