import Exploration
import TestHost
import Testing

@testable import GracefulTriggers

@Suite("What a control socket decides", .valuesOnly)
struct ControlStateMachineTests {
  typealias World = ControlWorld
  typealias Event = ControlStateMachine.Event
  typealias Action = ControlStateMachine.Action
  private let a = World.a
  private let b = World.b
  private let limits = World.limits
  private func at(_ duration: Duration) -> ContinuousClock.Instant { World.now + duration }

  private var leaving: Action { .arm(a, at: at(limits.leave)) }

  private func world(
    _ request: ControlRequest, _ more: [Event] = [], _ abilities: ControlStateMachine.Abilities = [.show, .restart]
  ) -> World {
    World(abilities, after: [.connected(World.a), .request(World.a, request)] + more)
  }

  @Test("whoever comes is told who this is, and has until the request's limit")
  func silent() {
    var world = World()
    #expect(world.tell(.connected(a)) == [.greet(a), .arm(a, at: at(limits.request))])
    let late = ControlAnswer.refused(.malformed, "no request came within 2.0 seconds")
    #expect(world.tell(.deadline(a)) == [.disarm(a), .send(a, late), .close(a)])
  }

  @Test("status once, the plan: the document, and time to read it")
  func once() {
    var world = World(after: [.connected(a), .connected(b)])
    #expect(world.tell(.request(a, .status(every: nil))) == [.sendSnapshot(a), leaving])
    #expect(world.tell(.request(b, .plan)) == [.sendPlan(b), .arm(b, at: at(limits.leave))])
    #expect(world.tell(.closed(a)) == [.disarm(a), .close(a)])
    #expect(world.tell(.deadline(b)) == [.disarm(b), .close(b)])
    #expect(world.violations.isEmpty)
  }

  @Test("status again and again, never faster than the shortest interval, until the end")
  func watching() {
    var world = World(after: [.connected(a)])
    #expect(
      world.tell(.request(a, .status(every: .milliseconds(1)))) == [.sendSnapshot(a), .arm(a, at: at(limits.shortest))])
    #expect(world.tell(.deadline(a)) == [.offerSnapshot(a), .arm(a, at: at(limits.shortest))])
    #expect(world.tell(.finished(World.ending)) == [.sendSnapshot(a), leaving])
    // After the end there is nothing to watch.
    world.tell(.connected(b))
    let last: [Action] = [.sendSnapshot(b), .arm(b, at: at(limits.leave))]
    #expect(world.tell(.request(b, .status(every: .seconds(1)))) == last)
    #expect(world.violations.isEmpty)
  }

  @Test("a stop is accepted when it has been asked for, and answered when it has ended")
  func stop() {
    let stop = ControlRequest.Stop()
    var world = World(after: [.connected(a)])
    #expect(world.tell(.request(a, .stop(stop))) == [.disarm(a), .requestPermission(a, stop)])
    #expect(world.tell(.decided(a, .permitted(World.running))) == [.requestStop(a), .send(a, .accepted)])
    #expect(
      world.tell(.finished(World.ending)) == [
        .send(a, .stopped(exitCode: 124, summary: "not ended in time: http")), leaving,
      ])
    // A client that comes after the end is told of it at once.
    world.tell(.connected(b))
    #expect(
      world.tell(.request(b, .stop(stop))).first
        == .send(b, .stopped(exitCode: 124, summary: "not ended in time: http")))
    #expect(world.violations.isEmpty)
  }

  @Test("a stop with progress tells it, and one without a lifecycle has none to tell")
  func progress() {
    let stop = ControlRequest.Stop(progress: .seconds(1))
    var world = world(.stop(stop))
    let more: [Action] = [.offerSnapshot(a), .arm(a, at: at(.seconds(1)))]
    #expect(world.tell(.decided(a, .permitted(World.running))) == [.requestStop(a), .send(a, .accepted)] + more)
    #expect(world.tell(.deadline(a)) == more)
    world = self.world(.stop(stop), [], [])
    #expect(world.tell(.decided(a, .permitted(World.running))) == [.requestStop(a), .send(a, .accepted)])
  }

  @Test("who does not wait for the stop is told that it was taken, and nothing else")
  func noWait() {
    var world = world(.stop(.init(waits: false)))
    #expect(world.tell(.decided(a, .permitted(World.running))) == [.requestStop(a), .send(a, .accepted), leaving])
    #expect(world.tell(.finished(World.ending)) == [])
  }

  @Test("a stop that is another process's is sent there, and one that ends meanwhile is answered")
  func stopRefused() {
    var world = world(.stop(.init()))
    #expect(
      world.tell(.decided(a, .refused("process 9 has taken over; ask it")))
        == [.disarm(a), .send(a, .refused(.busy, "process 9 has taken over; ask it")), .close(a)])
    world = self.world(.stop(.init()))
    #expect(world.tell(.finished(World.ending)).count == 2)
    #expect(world.tell(.decided(a, .permitted(World.running))).isIgnored)
  }

  @Test("a stop whose client has gone before it was decided is requested all the same, and no other is")
  func gone() {
    var world = world(.stop(.init()), [.closed(a)])
    #expect(world.tell(.decided(a, .permitted(World.running))) == [.requestStop(a)])
    #expect(world.tell(.decided(a, .permitted(World.running))).isIgnored)
    world = self.world(.stop(.init()), [.closed(a)])
    #expect(world.tell(.decided(a, .refused("another process"))) == [])
    #expect(world.violations.isEmpty)
  }

  @Test("a restart is answered when the successor has taken over, or it came to nothing, or all has ended")
  func restart() {
    for (event, answer): (Event, ControlAnswer) in [
      (.restarted(process: 9), .restarted(process: 9)), (.restartFailed("no such file"), .failed("no such file")),
      (.finished(World.ending), .failed("this process has ended before a successor took over")),
    ] {
      var world = World(after: [.connected(a)])
      #expect(world.tell(.request(a, .restart)) == [.disarm(a), .restart])
      // Two who ask are both answered.
      world.tell(.connected(b))
      world.tell(.request(b, .restart))
      #expect(world.tell(event) == [.send(a, answer), leaving, .send(b, answer), .arm(b, at: at(limits.leave))])
      #expect(world.violations.isEmpty)
    }
  }

  @Test("what this program cannot do is refused: to be shown without a lifecycle, to be replaced without a handover")
  func impossible() {
    for request in [ControlRequest.status(every: nil), .status(every: .seconds(1)), .plan, .restart] {
      var world = World([], after: [.connected(a)])
      let actions = world.tell(.request(a, request))
      guard case .send(a, .refused(.impossible, _)) = actions.dropFirst().first else {
        Issue.record("\(request): \(actions)")
        continue
      }
      #expect(world.violations.isEmpty)
    }
    var world = World(after: [.connected(a), .finished(World.ending)])
    #expect(world.tell(.request(a, .restart)).contains(.send(a, .refused(.impossible, "this process is about to end"))))
  }

  @Test("a second request on one connection is refused in every state, and what the first asked for goes on")
  func second() {
    for request in [ControlRequest.status(every: .seconds(1)), .stop(.init()), .restart] {
      var world = world(request)
      let actions = world.tell(.request(a, .plan))
      #expect(actions.contains(.send(a, .refused(.malformed, "a second request; there is one a connection"))))
      #expect(actions.last == .close(a))
      #expect(world.violations.isEmpty)
    }
    var world = world(.plan)
    #expect(world.tell(.request(a, .plan)).isIgnored)
    #expect(world.tell(.malformed(a, .malformed, "noise")).isIgnored)
  }

  @Test("of more than the limit the one that has been silent for longest goes, then one that was answered")
  func crowd() {
    let reason = "32 others are connected; come again"
    var world = World()
    for number in 0..<limits.connections { world.tell(.connected(.init(100 + number))) }
    world.tell(.request(.init(100), .plan))
    let first = ControlStateMachine.ConnectionID(101)
    #expect(
      world.tell(.connected(a)) == [
        .disarm(first), .send(first, .refused(.busy, reason)), .close(first), .greet(a),
        .arm(a, at: at(limits.request)),
      ])
    world.tell(.closed(.init(102)))
    #expect(world.tell(.connected(b)) == [.greet(b), .arm(b, at: at(limits.request))])
    #expect(world.violations.isEmpty)
  }

  @Test("of more than the limit that all wait for something the rest is told to come again")
  func crowdThatWaits() {
    var world = World()
    for number in 0..<limits.connections {
      world.tell(.connected(.init(100 + number)))
      world.tell(.request(.init(100 + number), .restart))
    }
    #expect(
      world.tell(.connected(a))
        == [.greet(a), .send(a, .refused(.busy, "32 others are connected; come again")), .close(a)])
    #expect(world.violations.isEmpty)
  }
}

@Suite("A control socket, whatever happens in whatever order", .valuesOnly)
struct ControlSequenceTests {
  @Test("keeps its promises under every three events, possible or not", arguments: [0, 1, 2, 3])
  func everyEvent(start: Int) {
    let stop = ControlRequest.Stop(progress: .seconds(1))
    let prefixes: [[ControlStateMachine.Event]] = [
      [], [.connected(ControlWorld.a), .request(ControlWorld.a, .stop(stop))],
      [
        .connected(ControlWorld.a), .request(ControlWorld.a, .stop(stop)),
        .decided(ControlWorld.a, .permitted(ControlWorld.running)),
      ],
      [.connected(ControlWorld.a), .request(ControlWorld.a, .restart), .connected(ControlWorld.b)],
    ]
    var walk = SequenceWalk<ControlWorld> { _ in ControlWorld.alphabet }
    walk.go(ControlWorld(after: prefixes[start]), depth: 3, path: prefixes[start])
    #expect(walk.violations.isEmpty, "\(walk.violations.joined(separator: "\n"))")
    #expect(walk.steps > 10_000)
  }

  @Test("keeps its promises under every six events that can happen")
  func possible() {
    var answers = 0
    var walk = SequenceWalk<ControlWorld>({ $0.possible }) { before, after in
      answers += after.final.count - before.final.count
    }
    walk.go(ControlWorld(), depth: 6)
    #expect(walk.violations.isEmpty, "\(walk.violations.joined(separator: "\n"))")
    #expect(answers > 1000)
  }
}

extension [ControlStateMachine.Action] {
  /// Nothing is done, and it is recorded why.
  fileprivate var isIgnored: Bool {
    if count == 1, case .ignored = self[0] { true } else { false }
  }
}
