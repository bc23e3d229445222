import TestHost
import Testing

@testable import GracefulHandover

@Suite("A successor's decisions", .valuesOnly)
struct SuccessorStateMachineTests {
  typealias World = SuccessorWorld
  typealias Machine = SuccessorStateMachine
  private let now = World.now
  private let limits = World.limits

  private static func failed(_ failure: Machine.Failure, saying reason: String? = nil) -> [Machine.Action] {
    let goodbye: [Machine.Action] = reason.map { [.send(.abort($0))] } ?? []
    return [.disarm(.offer), .disarm(.commit), .disarm(.death)] + goodbye + [.close, .fail(failure)]
  }

  @Test("step by step, as it should be")
  func undisturbed() {
    var world = World()
    #expect(world.tell(.began) == [.arm(.offer, at: now + limits.offer)])
    #expect(world.tell(.preamble(World.greeting)) == [])
    #expect(world.tell(World.welcome(1)) == [])
    #expect(world.tell(World.one) == [])
    #expect(world.tell(.message(.offered, descriptors: 0)) == [.disarm(.offer), .deliver(process: 1, generation: 3)])
    #expect(world.tell(.prepared) == [.send(.ready), .arm(.commit, at: now + limits.commit)])
    #expect(world.tell(.message(.commit, descriptors: 0)) == [.disarm(.commit), .send(.acknowledge)])
    #expect(world.tell(.message(.released, descriptors: 0)) == [.own(because: .released)])
    #expect(world.tell(.closed) == [.close, .notify(.predecessorEnded(process: 1))])
    #expect(world.tell(.predecessorDied).isIgnored)
    #expect(world.violations.isEmpty)
  }

  @Test("what it hears instead of an offer")
  func beforeTheOffer() {
    let cases: [([Machine.Event], Machine.Event, [Machine.Action])] = [
      (
        World.greeted, .message(.refused(.busy, "one at a time"), descriptors: 0),
        Self.failed(.refused(.busy, "one at a time"))
      ),
      ([.began], .malformed("HTTP"), Self.failed(.foreign("HTTP"))),
      (World.greeted, .malformed("noise"), Self.failed(.foreign("noise"), saying: "noise")),
      ([.began], .closed, Self.failed(.predecessorLost)),
      (World.greeted, .predecessorDied, Self.failed(.predecessorLost)),
      (World.receiving, .closed, Self.failed(.predecessorLost)),
      (
        [.began], .deadline(.offer),
        Self.failed(.timedOut("it accepted the connection and said nothing within 10.0 seconds"))
      ),
      (World.greeted, .deadline(.offer), Self.failed(.timedOut("it greeted, and made no offer within 10.0 seconds"))),
      (
        World.receiving, .deadline(.offer),
        Self.failed(
          .timedOut("its offer was not complete within 10.0 seconds"), saying: "the offer took too long")
      ),
      (
        [.began], .preamble(Preamble(version: 9, purpose: .handover, program: "x")),
        Self.failed(.refused(.unknownVersion, "it speaks version 9 of the protocol, this program 1"))
      ),
      (World.receiving, .message(.abort("no"), descriptors: 0), Self.failed(.givenUp("no"))),
      (World.receiving, .withdrawn("stop"), Self.failed(.withdrawn("stop"), saying: "stop")),
      (
        World.greeted, .message(.commit, descriptors: 0),
        Self.failed(
          .foreign("it sent commit where that does not belong"), saying: "commit does not belong here")
      ),
    ]
    for (prefix, event, expected) in cases {
      var world = World(after: prefix)
      #expect(world.tell(event) == expected, "\(event) after \(prefix)")
      #expect(world.violations.isEmpty)
    }
  }

  @Test("an offer that is not what was announced is refused, and says so")
  func wrongOffers() {
    func reason(_ event: Machine.Event, after prefix: [Machine.Event]) -> String? {
      var world = World(after: prefix)
      for case .fail(let failure) in world.tell(event) {
        switch failure {
        case .withdrawn(let reason), .foreign(let reason): return reason
        default: return "\(failure)"
        }
      }
      return nil
    }
    let a = DescriptorLabel(name: "a")
    #expect(
      reason(World.welcome(1025), after: World.greeted)
        == "it offers 1025 descriptors, and this process may open 1024 (RLIMIT_NOFILE)")
    #expect(reason(World.welcome(1024), after: World.greeted) == nil)
    #expect(
      reason(World.welcome(.max), after: World.greeted)?.contains("4294967295") == true, "announces 2^32-1")
    #expect(
      reason(.message(.descriptors([a]), descriptors: 0), after: World.receiving)
        == "1 descriptors were announced and 0 arrived; is RLIMIT_NOFILE reached?")
    #expect(
      reason(.message(.descriptors([]), descriptors: 1), after: World.receiving)
        == "0 descriptors were announced and 1 arrived; is RLIMIT_NOFILE reached?")
    #expect(
      reason(.message(.descriptors([a, DescriptorLabel(name: "b")]), descriptors: 2), after: World.receiving)
        == "it sent more descriptors than announced")
    #expect(
      reason(
        .message(.descriptors([a, a]), descriptors: 2), after: World.greeted + [World.welcome(2)])
        == "it sent two descriptors of one name")
    #expect(
      reason(.message(.offered, descriptors: 0), after: World.receiving) == "1 descriptors were announced and 0 came")
    #expect(reason(.message(.offered, descriptors: 0), after: World.greeted + [World.welcome(0)]) == nil)
  }

  @Test("it withdraws at any time before the commit, and not after it")
  func withdrawal() {
    for prefix in [[.began], World.greeted, World.receiving, World.preparing, World.ready] {
      var world = World(after: prefix)
      #expect(world.tell(.withdrawn("x")) == Self.failed(.withdrawn("x"), saying: "x"))
    }
    for prefix in [World.acknowledged, World.owner] {
      var world = World(after: prefix)
      #expect(world.tell(.withdrawn("x")).isIgnored)
      #expect(world.failures == 0)
    }
  }

  @Test("the end of the connection alone makes no owner before the commit; a death does, once it has prepared")
  func death() {
    var world = World(after: World.ready)
    #expect(world.tell(.closed) == [.disarm(.commit), .arm(.death, at: now + limits.death)])
    var dead = world
    #expect(dead.tell(.predecessorDied).contains(.own(because: .predecessorDied)))
    #expect(world.tell(.deadline(.death)) == Self.failed(.connectionLost))

    world = World(after: World.preparing + [.closed])
    #expect(world.tell(.prepared) == [])
    #expect(world.tell(.predecessorDied).contains(.own(because: .predecessorDied)))

    world = World(after: World.preparing + [.closed, .predecessorDied])
    #expect(world.owns == 0)
    #expect(world.tell(.prepared).contains(.own(because: .predecessorDied)))
    #expect(world.violations.isEmpty)
  }

  @Test("after the acknowledgement only the release or a death ends the wait, time never does")
  func acknowledged() {
    var world = World(after: World.acknowledged)
    #expect(world.timers.isEmpty)
    for event: Machine.Event in [.deadline(.commit), .malformed("x"), .message(.abort("x"), descriptors: 0), .prepared]
    {
      #expect(world.tell(event).isIgnored)
    }
    #expect(world.tell(.closed) == [.own(because: .predecessorDied)])
    #expect(world.violations.isEmpty)
  }

  @Test(
    "once the predecessor is dead it holds no connection to it any more",
    arguments: [
      World.ready + [.predecessorDied], World.ready + [.closed, .predecessorDied],
      World.preparing + [.predecessorDied, .prepared], World.preparing + [.closed, .prepared, .predecessorDied],
      World.preparing + [.closed, .predecessorDied, .prepared], World.acknowledged + [.predecessorDied],
      World.acknowledged + [.closed, .predecessorDied], World.owner + [.closed],
    ])
  func letsGoOfTheDead(events: [Machine.Event]) {
    let world = World(after: events)
    #expect(world.owns == 1)
    #expect(world.closed)
  }

  @Test("frames that are not known are answered up to a limit, so that no peer fills the queue to itself")
  func unknownFrames() {
    for prefix in [[.began], World.greeted, World.receiving, World.preparing, World.ready, World.acknowledged] {
      var world = World(after: prefix)
      var answers = 0
      for _ in 0..<1000 {
        answers += world.tell(.unknownFrame(type: 300)).count { $0 == .send(.unknown(type: 300)) }
      }
      #expect(answers > 0)
      #expect(answers <= 16)
      // An acknowledged commit binds, whatever is said beside it.
      #expect(world.failures == (prefix == World.acknowledged ? 0 : 1))
      #expect(world.violations.isEmpty)
    }
  }

  @Test(
    "keeps its promises in each state under every three events, possible or not",
    arguments: [
      [], [.began], World.greeted, World.receiving, World.preparing, World.ready, World.ready + [.closed],
      World.preparing + [.closed], World.preparing + [.predecessorDied], World.acknowledged, World.owner,
    ])
  func everyEvent(prefix: [Machine.Event]) {
    var violations: [String] = []
    var steps = 0
    func go(_ world: World, depth: Int, path: [Machine.Event]) {
      guard depth > 0, violations.count < 3 else { return }
      for event in World.alphabet {
        steps += 1
        var after = world
        after.tell(event)
        if after.violations.isEmpty {
          go(after, depth: depth - 1, path: path + [event])
        } else {
          violations.append("\(after.violations): \(path + [event])")
        }
      }
    }
    go(World(after: prefix), depth: 3, path: prefix)
    #expect(violations.isEmpty, "\(violations.joined(separator: "\n"))")
    #expect(steps > 5000)
  }
}
