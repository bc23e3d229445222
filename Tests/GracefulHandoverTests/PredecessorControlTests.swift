import Testing

@testable import GracefulHandover

@Suite("A predecessor's decisions about who wants control")
struct PredecessorControlTests {
  typealias World = PredecessorWorld
  typealias Action = PredecessorStateMachine.Action
  private let a = World.a
  private let b = World.b
  private let now = World.now
  private let limits = World.limits

  @Test("whoever wants control is given away in every state, until the successor is the one to be asked")
  func control() {
    for prefix in [[], World.started, World.offering, World.committing, World.pausing, [.stopRequested]] {
      var world = World(after: prefix + [.connected(b, process: 3)])
      #expect(world.tell(.preamble(b, World.control)) == [.disarm(.connection(b)), .giveAway(b, program: "test")])
      // It belongs to the control server from now on.
      #expect(world.tell(.malformed(b, "noise")).isIgnored)
      #expect(world.tell(.closed(b)) == [])
      #expect(world.violations.isEmpty)
    }
    var world = World(after: World.hasReleased + [.connected(b, process: 3)])
    let reason = "process 2 has just taken over; ask it"
    #expect(world.tell(.preamble(b, World.control)) == World.refused(b, .starting, reason, process: 3))
  }

  @Test(
    "after it has left the socket stays for control, until somebody wants to take over: that one is to be the first")
  func left() {
    for prefix in [[], World.started, World.started + [.stopRequested], World.awaitingChild] {
      var world = World(after: prefix + [.left, .connected(a, process: 2), .connected(b, process: 3)])
      #expect(world.tell(.preamble(a, World.control)) == [.disarm(.connection(a)), .giveAway(a, program: "test")])
      #expect(
        world.tell(.preamble(b, World.greeting)) == [.giveUpSocket]
          + World.refused(b, .stopping, "the process here has left; the socket is free", process: 3))
      #expect(world.tell(.restartRequested) == [.notify(.restartFailed(reason: "this process is about to end"))])
      #expect(world.violations.isEmpty)
    }
    var world = World(after: World.awaitingChild)
    #expect(world.tell(.left).contains(.killChild(process: World.child)))
    for prefix in [World.offering, World.committing, World.pausing, World.hasReleased] {
      world = World(after: prefix)
      #expect(world.tell(.left).isIgnored)
    }
  }

  @Test("whoever wants control of another version is refused, and so is who wants to take over what is no handover's")
  func otherServices() {
    var world = World(after: World.started + [.connected(b, process: 3)])
    let version = "this process speaks version 1 of the protocol, not 2"
    #expect(
      world.tell(.preamble(b, Preamble(version: 2, purpose: .control, program: "x")))
        == World.refused(b, .unknownVersion, version, process: 3))
    world = World(after: [])
    world.machine = PredecessorStateMachine(limits: limits, services: .control)
    world.tell(.connected(b, process: 3))
    let reason = "this socket is for control requests alone, and nothing is taken over here"
    #expect(world.tell(.preamble(b, World.greeting)) == World.refused(b, .unknownPurpose, reason, process: 3))
  }
}
