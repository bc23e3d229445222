import CGracefulSystem
import GracefulShutdown
import GracefulTesting
import Testing

@testable import Graceful

/// What is told by whom, with a socket that a test can fill up.
@Suite("A lifecycle that tells systemd", .timeLimit(.minutes(1)))
struct NotifyDriverTests {
  private let folder: Folder
  private let listener: DatagramListener
  private let socket: NotifySocket
  private let clock = ManualClock()

  init() throws {
    folder = try Folder()
    listener = try DatagramListener("\(folder.path)/notify")
    socket = try NotifySocket("\(folder.path)/notify")
  }

  private func shop(isOfThisUnit: Bool = true) -> (Lifecycle, NotifyDriver) {
    let shop = Lifecycle("shop", grace: .seconds(20), logger: .silent)
    let driver = NotifyDriver(
      snapshot: { [weak shop] in shop?.snapshot() }, isOfThisUnit: { _ in isOfThisUnit },
      send: { [socket] in socket.send($0) })
    #expect(shop.add(driver) == .admitted)
    shop.phase("web") { [clock] phase in
      phase.ready()
      clock.recorder.record("ready")
      await phase.turnToStop()
    }
    return (shop, driver)
  }

  @Test("says ready, stopping and stopped, in this order")
  func course() async {
    let (shop, _) = shop()
    let run = Task { await shop.run(on: clock) }
    #expect(await listener.hears("READY=1\nSTATUS=running"))
    shop.requestStop(StopRequest(source: .signal(15)))
    _ = await run.value
    #expect(await listener.hears("STATUS=stopped, exit 0"))
    let firsts = listener.all().compactMap { $0.split(separator: "\n").first.map(String.init) }
    let ready = firsts.firstIndex(of: "READY=1"), stopping = firsts.firstIndex(of: "STOPPING=1")
    #expect(ready.flatMap { ready in stopping.map { ready < $0 } } == true, "\(firsts)")
    #expect(firsts.last == "STATUS=stopped, exit 0")
  }

  @Test("is told of what drains, and for how long it asks, while it drains")
  func draining() async throws {
    let shop = Lifecycle("shop", grace: .seconds(20), logger: .silent)
    let driver = NotifyDriver(snapshot: { [weak shop] in shop?.snapshot() }, send: { [socket] in socket.send($0) })
    #expect(shop.add(driver) == .admitted)
    shop.phase("web") { [clock] phase in
      let session = try phase.beginSession()
      phase.ready()
      await phase.stopRequested()
      await clock.pause(for: .seconds(7), recording: "paused")
      session.end()
    }
    let run = Task { await shop.run(on: clock) }
    #expect(await listener.hears("READY=1"))
    shop.requestStop()
    await clock.recorder.wait(for: "paused")
    #expect(await listener.hears("EXTEND_TIMEOUT_USEC=10000000"))
    clock.advance(by: .seconds(1))
    #expect(
      await listener.hears("STATUS=stopping, asked by the program: draining web (1 sessions), 1 of 1 phases left"))
    clock.advance(by: .seconds(1))
    while driver.isSettled == false { await Task.yield() }
    for _ in 0..<5 {
      clock.advance(by: .seconds(1))
      while driver.isSettled == false { await Task.yield() }
    }
    _ = await run.value
    #expect(await listener.hears("STATUS=stopped"))
    #expect(listener.all().count { $0.contains("EXTEND_TIMEOUT_USEC") } >= 2, "\(listener.all())")
    #expect(listener.all().count { $0.contains("STATUS") } <= 14, "at most one a second")
  }

  @Test("names the successor last, and only one of its own unit", arguments: [true, false])
  func successor(isOfThisUnit: Bool) async {
    let (shop, _) = shop(isOfThisUnit: isOfThisUnit)
    let run = Task { await shop.run(on: clock) }
    #expect(await listener.hears("READY=1"))
    shop.requestStop(StopRequest(source: .successor(4711)))
    _ = await run.value
    #expect(await listener.hears(isOfThisUnit ? "MAINPID=4711" : "STATUS=stopped"))
    #expect(listener.all().contains { $0.hasPrefix("STOPPING=1") } == !isOfThisUnit)
    #expect(listener.all().contains { $0.hasPrefix("MAINPID") } == isOfThisUnit)
  }

  @Test("brings READY=1 although systemd does not read for a while")
  func full() async {
    var filled = 0
    while filled < 100_000, socket.send("STATUS=\(filled)") == .sent { filled += 1 }
    let (shop, driver) = shop()
    let run = Task { await shop.run(on: clock) }
    await clock.recorder.wait(for: "ready")
    #expect(listener.all().count >= filled)
    while !driver.isSettled {
      clock.advance(by: .milliseconds(20))
      _ = listener.all()
      await Task.yield()
    }
    #expect(await listener.hears("READY=1"))
    shop.requestStop()
    _ = await run.value
  }
}
