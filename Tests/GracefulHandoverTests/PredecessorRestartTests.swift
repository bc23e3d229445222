import Testing

@testable import GracefulHandover

@Suite("A predecessor that starts its own successor")
struct PredecessorRestartTests {
  typealias World = PredecessorWorld
  private let a = World.a
  private let child = World.child
  private let now = World.now

  @Test("spawns it once, and gives it the time to become ready")
  func spawns() {
    var world = World(after: World.started)
    #expect(world.tell(.restartRequested) == [.spawn])
    #expect(
      world.tell(.restartRequested) == [.notify(.restartJoined(reason: "a process has been started to take over"))])
    #expect(
      world.tell(.spawned(process: child)) == [.arm(.child(process: child), at: now + World.limits.ready)])
    #expect(
      world.tell(.restartRequested) == [.notify(.restartJoined(reason: "process 9 has been started to take over"))])
    world.tell(.connected(a, process: child))
    #expect(
      world.tell(.preamble(a, World.greeting)) == [
        .disarm(.child(process: child)), .arm(.connection(a), at: now + World.limits.ready), .offer(a),
        .notify(.offering(process: child, program: "test")),
      ])
    #expect(
      world.tell(.restartRequested) == [.notify(.restartJoined(reason: "a handover to process 9 is going on"))])
    #expect(world.tell(.childExited(process: child, "0")) == [])
    #expect(world.violations.isEmpty)
  }

  @Test(
    "says why it starts none",
    arguments: [
      ([], "this process is not ready itself yet"),
      ([.started, .stopRequested], "this process is about to end"),
      (PredecessorWorld.hasReleased, "this process is about to end"),
    ] as [([PredecessorStateMachine.Event], String)])
  func refusesRestart(prefix: [PredecessorStateMachine.Event], reason: String) {
    var world = World(after: prefix)
    #expect(world.tell(.restartRequested) == [.notify(.restartFailed(reason: reason))])
  }

  @Test("says that it could not be started, and can be asked again")
  func spawnFails() {
    var world = World(after: World.started + [.restartRequested])
    #expect(world.tell(.spawnFailed("no such file")) == [.notify(.restartFailed(reason: "no such file"))])
    #expect(world.tell(.restartRequested) == [.spawn])
  }

  @Test("says that it ended before it had asked to take over")
  func childEnds() {
    var world = World(after: World.awaitingChild)
    #expect(
      world.tell(.childExited(process: child, "exit 1")) == [
        .disarm(.child(process: child)),
        .notify(.restartFailed(reason: "process 9 ended before it asked to take over: exit 1")),
      ])
    #expect(world.tell(.restartRequested) == [.spawn])
  }

  @Test("kills the one that does not ask in time")
  func childLate() {
    var world = World(after: World.awaitingChild)
    #expect(
      world.tell(.deadline(.child(process: child))) == [
        .killChild(process: child),
        .notify(.restartFailed(reason: "process 9 did not ask to take over within 10.0 seconds")),
      ])
    #expect(world.tell(.childExited(process: child, "signal 9")) == [])
    #expect(world.tell(.restartRequested) == [.spawn])
  }

  @Test("kills it when a stop comes while it is awaited, or just being started")
  func stopWhileAwaited() {
    var world = World(after: World.awaitingChild)
    #expect(world.tell(.stopRequested) == [.disarm(.child(process: child)), .killChild(process: child)])
    #expect(world.tell(.childExited(process: child, "signal 9")) == [])

    world = World(after: World.started + [.restartRequested, .stopRequested])
    #expect(world.tell(.spawned(process: child)) == [.killChild(process: child)])
    #expect(world.violations.isEmpty)
  }

  @Test("lets somebody else's successor be faster")
  func another() {
    var world = World(after: World.awaitingChild + [.connected(a, process: 3), .preamble(a, World.greeting)])
    #expect(world.tell(.deadline(.child(process: child))) == [], "its deadline is nobody's any more")
    #expect(world.tell(.childExited(process: child, "exit 1")) == [])

    world = World(
      after: World.started + [.restartRequested, .connected(a, process: 3), .preamble(a, World.greeting)])
    #expect(world.tell(.spawned(process: child)) == [.ignored("a child that nobody waits for")])
    #expect(world.tell(.spawnFailed("x")) == [.ignored("a child that nobody waits for: x")])
  }
}
