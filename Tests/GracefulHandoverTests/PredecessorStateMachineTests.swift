import Testing

@testable import GracefulHandover

@Suite("A predecessor's decisions")
struct PredecessorStateMachineTests {
  typealias World = PredecessorWorld
  typealias Action = PredecessorStateMachine.Action
  private let a = World.a
  private let b = World.b
  private let now = World.now
  private let limits = World.limits

  // MARK: Who comes

  @Test("whoever connects has until the greeting's limit")
  func greeting() {
    var world = World(after: World.started)
    #expect(world.tell(.connected(a, process: 2)) == [.arm(.connection(a), at: now + limits.greeting)])
    #expect(
      world.tell(.deadline(.connection(a))) == World.refused(a, .malformed, "nothing complete came within 2.0 seconds"))
    #expect(world.tell(.closed(a)) == [])
  }

  @Test("one that leaves before it has said anything is forgotten")
  func leavesEarly() {
    var world = World(after: World.started + [.connected(a, process: 2)])
    #expect(world.tell(.closed(a)) == [.disarm(.connection(a)), .close(a)])
  }

  @Test("another version, the purpose control and purposes that are not known are answered, in every state")
  func preambles() {
    let version = "this process speaks version 1 of the protocol, not 2"
    let control = "this process does not answer control requests"
    for prefix in [[], World.started, World.offering, World.committing, World.pausing, World.hasReleased] {
      var world = World(after: [])
      world.machine = PredecessorStateMachine(limits: limits)
      for event in prefix + [.connected(b, process: 3)] { world.tell(event) }
      var copy = world
      #expect(
        copy.tell(.preamble(b, Preamble(version: 2, purpose: .handover, program: "x")))
          == World.refused(b, .unknownVersion, version, process: 3))
      copy = world
      #expect(
        copy.tell(.preamble(b, Preamble(purpose: .control, program: "x")))
          == World.refused(b, .unknownPurpose, control, process: 3))
      copy = world
      #expect(
        copy.tell(.preamble(b, Preamble(purpose: .init(rawValue: 77), program: "x")))
          == World.refused(b, .unknownPurpose, "purpose 77 is not known here", process: 3))
    }
  }

  @Test("a successor is told why no handover begins: starting, busy, stopping, just taken over")
  func refusals() {
    let busy = "a handover to process 2 is going on"
    let cases: [([PredecessorStateMachine.Event], Message.Refusal, String)] = [
      ([], .starting, "the process here is not ready itself yet"),
      (World.offering, .busy, busy), (World.committing, .busy, busy), (World.pausing, .busy, busy),
      (World.hasReleased, .starting, "process 2 has just taken over; ask it"),
      ([.stopRequested], .stopping, "the process here is about to end"),
      (World.started + [.stopRequested], .stopping, "the process here is about to end"),
    ]
    for (prefix, refusal, reason) in cases {
      var world = World(after: prefix + [.connected(b, process: 3)])
      #expect(world.tell(.preamble(b, World.greeting)) == World.refused(b, refusal, reason, process: 3), "\(prefix)")
      #expect(world.violations.isEmpty)
    }
  }

  @Test("a second preamble of the successor changes nothing")
  func secondPreamble() {
    for prefix in [World.offering, World.committing, World.pausing, World.hasReleased] {
      var world = World(after: prefix)
      let before = world.machine.state
      #expect(world.tell(.preamble(a, World.greeting)).isIgnored, "is answered after \(prefix)")
      #expect(world.machine.state == before)
      #expect(world.violations.isEmpty)
    }
  }

  @Test("of more connections than the limit the one that has been silent for longest goes, told to come again")
  func connectionLimit() {
    let limit = PredecessorStateMachine.connectionLimit
    let crowded = "16 others are connected; come again"
    var world = World(after: World.started + (0..<limit).map { .connected(.init(100 + $0), process: 2) })
    // It has said what it wants, and is not silent any more.
    world.tell(.preamble(.init(100), World.greeting))
    #expect(
      world.tell(.connected(a, process: 2))
        == World.refused(.init(101), .starting, crowded) + [.arm(.connection(a), at: now + limits.greeting)])
    world.tell(.closed(.init(102)))
    #expect(world.tell(.connected(b, process: 2)) == [.arm(.connection(b), at: now + limits.greeting)])
    #expect(world.violations.isEmpty)
  }

  @Test("a message before the preamble is malformed")
  func noPreamble() {
    var world = World(after: World.started + [.connected(a, process: 2)])
    #expect(world.tell(.message(a, .ready)) == World.refused(a, .malformed, "a message before the preamble"))
  }

  // MARK: What a peer may not say

  @Test("unknown frames are answered one by one until their limit")
  func unknownFrames() {
    for (prefix, last) in [
      (
        World.started + [.connected(a, process: 2)],
        World.refused(a, .malformed, "16 frames of types that are not known")
      ),
      (
        World.offering,
        [
          .send(a, .abort("16 frames of types that are not known")), .arm(.connection(a), at: now + limits.letGo),
          .notify(.successorGivenUp(process: 2, reason: "16 frames of types that are not known")),
        ]
      ),
      (World.committing, [.kill(a)]), (World.pausing, [.kill(a)]),
    ] {
      var world = World(after: prefix)
      for _ in 1..<PredecessorStateMachine.unknownFrameLimit {
        #expect(world.tell(.unknownFrame(a, type: 300)) == [.send(a, .unknown(type: 300))])
      }
      #expect(world.tell(.unknownFrame(a, type: 300)) == last)
    }
  }

  @Test("noise before the commit gives the successor up, after it only its death counts, after the release nothing")
  func malformed() {
    var world = World(after: World.started + [.connected(a, process: 2)])
    #expect(world.tell(.malformed(a, "noise")) == World.refused(a, .malformed, "noise"))

    world = World(after: World.offering)
    #expect(
      world.tell(.malformed(a, "noise")) == [
        .send(a, .abort("noise")), .arm(.connection(a), at: now + limits.letGo),
        .notify(.successorGivenUp(process: 2, reason: "noise")),
      ])

    for prefix in [World.committing, World.pausing] {
      world = World(after: prefix)
      #expect(world.tell(.malformed(a, "noise")) == [.kill(a)])
      #expect(world.tell(.closed(a)).contains(.notify(.successorFailed(process: 2, reason: Self.ended))))
      #expect(world.machine.state == .serving)
      #expect(world.violations.isEmpty)
    }

    world = World(after: World.hasReleased)
    #expect(world.tell(.malformed(a, "noise")).isIgnored, "the owner is touched")
  }

  private static let ended = "it ended before it had taken over"

  // MARK: Giving up

  @Test("a successor that is never ready is given up, told so, and killed when it does not let go")
  func givingUp() {
    var world = World(after: World.offering)
    let reason = "it was not ready within 10.0 seconds"
    #expect(
      world.tell(.deadline(.connection(a))) == [
        .send(a, .abort(reason)), .arm(.connection(a), at: now + limits.letGo),
        .notify(.successorGivenUp(process: 2, reason: reason)),
      ])
    #expect(world.machine.state == .serving)
    for event: PredecessorStateMachine.Event in [.message(a, .ready), .message(a, .acknowledge), .malformed(a, "x")] {
      var copy = world
      #expect(copy.tell(event).isIgnored, "\(event) of one that was given up is heard")
    }
    var lets = world
    #expect(lets.tell(.closed(a)) == [.disarm(.connection(a)), .close(a)])
    #expect(
      world.tell(.deadline(.connection(a))) == [.kill(a), .close(a), .notify(.successorKilled(process: 2))])
    #expect(world.tell(.closed(a)) == [])
  }

  @Test("while one that was given up still holds on, the next one is served")
  func nextAfterGivenUp() {
    var world = World(after: World.givenUp + [.connected(b, process: 3)])
    #expect(
      world.tell(.preamble(b, World.greeting)) == [
        .arm(.connection(b), at: now + limits.ready), .offer(b), .notify(.offering(process: 3, program: "test")),
      ])
    world.tell(.message(b, .ready))
    #expect(world.tell(.deadline(.connection(a))) == [.kill(a), .close(a), .notify(.successorKilled(process: 2))])
    #expect(world.tell(.message(b, .acknowledge)) == [.pauseAccepting(1)])
    #expect(world.violations.isEmpty)
  }

  @Test("one that withdraws before or after the commit costs nothing")
  func withdrawal() {
    for prefix in [World.offering, World.committing] {
      var world = World(after: prefix)
      #expect(
        world.tell(.message(a, .abort("no"))) == [
          .disarm(.connection(a)), .close(a), .notify(.successorFailed(process: 2, reason: "no")),
        ])
      #expect(world.machine.state == .serving)
    }
  }

  @Test(
    "one that dies between its acknowledgement and the release makes it accept again, and the late pause is nobody's")
  func deathWhilePausing() {
    var world = World(after: World.pausing)
    #expect(
      world.tell(.closed(a)) == [
        .disarm(.connection(a)), .close(a), .notify(.successorFailed(process: 2, reason: Self.ended)), .resumeAccepting,
      ])
    #expect(world.tell(.acceptingPaused(1)).isIgnored, "the pause that came to nothing is taken for an answer")
    for event: PredecessorStateMachine.Event in [
      .connected(b, process: 3), .preamble(b, World.greeting), .message(b, .ready), .message(b, .acknowledge),
    ] { world.tell(event) }
    // The answer to the first pause must not release to the second successor.
    #expect(world.tell(.acceptingPaused(1)).isIgnored, "the first pause's answer is taken for the second's")
    #expect(
      world.tell(.acceptingPaused(2)) == [.closeListener, .send(b, .released), .notify(.tookOver(process: 3))])
    #expect(world.violations.isEmpty)
  }

  @Test("the end of the one that took over is told, and the socket is not taken back")
  func ownerEnds() {
    var world = World(after: World.hasReleased)
    #expect(
      world.tell(.closed(a)) == [.disarm(.connection(a)), .close(a), .notify(.successorEnded(process: 2))])
    #expect(world.machine.isHandingOver, "the path is not this process's")
  }

  // MARK: Stopping

  @Test("a stop during a handover lets it go on; when it fails, nothing is accepted again")
  func stopDuringHandover() {
    var world = World(after: World.committing + [.stopRequested, .message(a, .acknowledge)])
    #expect(
      world.tell(.acceptingPaused(1)) == [.closeListener, .send(a, .released), .notify(.tookOver(process: 2))])

    world = World(after: World.pausing + [.stopRequested])
    #expect(
      world.tell(.closed(a)) == [
        .disarm(.connection(a)), .close(a), .notify(.successorFailed(process: 2, reason: Self.ended)),
      ])
    #expect(world.machine.state == .stopping)

    world = World(after: World.offering + [.stopRequested, .deadline(.connection(a))])
    #expect(world.machine.state == .stopping)
  }

  @Test("it is handing over from the offer on, and no longer when that came to nothing")
  func handingOver() {
    #expect(!World(after: World.started).machine.isHandingOver)
    for prefix in [World.offering, World.committing, World.pausing, World.hasReleased] {
      #expect(World(after: prefix).machine.isHandingOver)
    }
    #expect(!World(after: World.givenUp).machine.isHandingOver)
    #expect(!World(after: World.committing + [.closed(a)]).machine.isHandingOver)
  }

  @Test("starting twice is recorded")
  func startedTwice() {
    for prefix in [World.started, World.offering, World.hasReleased, [.stopRequested]] {
      var world = World(after: prefix)
      #expect(world.tell(.started) == [.ignored("it had started before")])
    }
  }
}
