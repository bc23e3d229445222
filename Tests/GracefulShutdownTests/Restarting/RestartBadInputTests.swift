import GracefulShutdown
import GracefulTesting
import TestHost
import Testing

/// What a policy may say, and what a service may do, and the documented answer to each.
@Suite("Bad input to a restart policy", .timeLimit(.minutes(1)))
struct RestartBadInputTests {
  private static let start = MonotonicInstant.now

  private static func policy(_ change: (inout RestartPolicy) -> Void) -> RestartPolicy {
    var policy = RestartPolicy.onFailure()
    policy.jitter = 0
    change(&policy)
    return policy
  }

  /// The delays of a phase that fails as soon as it is started, and when it was restarted.
  private static func loop(_ policy: RestartPolicy, _ times: Int) -> (delays: [Duration?], took: Duration) {
    var history = RestartHistory()
    var now = start
    var delays: [Duration?] = []
    for _ in 0..<times {
      let delay = history.fail("x", policy, chance: 0, since: start, at: now)
      delays.append(delay)
      now += delay ?? .zero
      if delay == nil { break }
    }
    return (delays, now - start)
  }

  @Test("It fails in 0 ms for ever, and the policy has no delay: never more than a hundred restarts in a second")
  func noDelay() {
    let policy = Self.policy { policy in
      policy.firstDelay = .zero
      policy.window = .nanoseconds(1)
      policy.decay = .nanoseconds(1)
    }
    let (delays, took) = Self.loop(policy, 1001)
    #expect(delays.first == .zero, "the first one is restarted at once")
    #expect(delays.count == 1001)
    #expect(took == .seconds(10))
  }

  @Test("It fails just slower than the window: it is restarted for ever, and only the delays grow")
  func justSlower() {
    var history = RestartHistory()
    let policy = Self.policy { policy in
      policy.intensity = 1
      policy.window = .seconds(10)
      policy.decay = .zero
    }
    for number in 0..<10_000 {
      let now = Self.start + .seconds(10) * number
      #expect(history.fail("x", policy, chance: 0, since: Self.start, at: now) != nil)
    }
    #expect(history.total == 10_000)
    #expect(history.reports.count == 64, "what is remembered has a bound")
    let soon = Self.start + .seconds(10) * 9_999 + .milliseconds(9_999)
    #expect(history.fail("x", policy, chance: 0, since: Self.start, at: soon) == nil, "just faster is one too many")
  }

  @Test("An intensity of 0 or less never restarts; one above 10,000 is 10,000")
  func intensity() {
    for intensity in [0, -1, Int.min] {
      #expect(Self.loop(Self.policy { $0.intensity = intensity }, 1).delays == [nil])
    }
    let (delays, _) = Self.loop(
      Self.policy { policy in
        policy.intensity = .max
        policy.firstDelay = .zero
        policy.window = .seconds(Int64.max)
      }, 20_000)
    #expect(delays.count == 10_001)
    #expect(delays.last == .some(nil))
  }

  @Test("Delays, factors and jitters that make no sense have an answer, and none of them traps")
  func nonsense() {
    let durations: [Duration] = [.zero, .seconds(-5), .seconds(Int64.max), .seconds(Int64.min), .nanoseconds(1)]
    let numbers = [0, -1, 1, 1.000_000_001, 1e300, Double.infinity, -.infinity, .nan]
    for first in durations {
      for maximum in durations {
        for factor in numbers {
          for jitter in numbers {
            let policy = Self.policy { policy in
              (policy.firstDelay, policy.maximumDelay) = (first, maximum)
              (policy.factor, policy.jitter) = (factor, jitter)
              (policy.window, policy.decay) = (first, maximum)
            }
            var history = RestartHistory()
            for chance in [-1.0, 0, 1, 7] {
              let delay = history.fail("x", policy, chance: chance, since: Self.start, at: Self.start)
              #expect(delay.map { $0 >= .zero && $0 <= .longest } ?? true)
            }
          }
        }
      }
    }
  }

  @Test("A million failures with a factor next to 1: each delay costs as little as the second", .valuesOnly)
  func aMillion() {
    let policy = Self.policy { policy in
      policy.factor = 1.000_001
      policy.window = .zero
      policy.decay = .zero
    }
    let (delays, _) = Self.loop(policy, 1_000_000)
    #expect(delays.count == 1_000_000)
    let last = delays.last.flatMap { $0 } ?? .zero
    // 100 ms times e.
    #expect(abs(last / .milliseconds(100) - 2.718_28) < 0.001)
  }

  @Test("A clock that jumps forward: the wait is over, the window is empty, the failures are forgotten")
  func jumpForward() {
    var machine = StateMachineTests.running(
      StateMachineTests.machine([.init("consumer", restart: Self.policy { $0.intensity = 1 })]))
    _ = machine.receive(.ended(0, .threw("lost")), at: StateMachineTests.at(1))
    #expect(machine.receive(.wake, at: StateMachineTests.at(315_360_000)) == [.start(0)])
    let actions = machine.receive(.ended(0, .threw("lost")), at: StateMachineTests.at(315_360_001))
    #expect(actions.first == .restart(0, reason: "lost", after: .milliseconds(100)))
  }

  @Test("A clock that jumps backwards: nothing leaves the window, nothing decays, and the delay is what it would be")
  func jumpBack() {
    var history = RestartHistory()
    let policy = Self.policy { $0.intensity = 3 }
    let delays = [0, -3600, -315_360_000].map { second in
      history.fail("x", policy, chance: 0, since: Self.start, at: Self.start + .seconds(second))
    }
    #expect(delays == [.milliseconds(100), .milliseconds(200), .milliseconds(400)])
    #expect(history.fail("x", policy, chance: 0, since: Self.start, at: Self.start - .seconds(9)) == nil)
  }

  @Test("A wait that is longer than the grace holds up no stop")
  func longerThanTheGrace() async {
    let (clock, shop) = (ManualClock(), Lifecycle("shop", grace: .seconds(4)))
    let policy = Self.policy { policy in
      policy.firstDelay = .seconds(Int64.max)
      policy.maximumDelay = .seconds(Int64.max)
    }
    shop.phase("consumer", restart: policy, script: .fails(1, "lost"), on: clock)
    let events = shop.events
    async let report = shop.run(on: clock)
    for await event in events where event.kind == .restarting { break }
    shop.requestStop()
    #expect(await report.took == .zero)
    #expect(await report.exitCode == 0)
    #expect(await report.phases[0].restarts.map(\.delay) == [.longest])
  }

  @Test(
    "On a phase that others require, that never comes back well: they run on until it gives up, and then stop first")
  func required() async {
    let (clock, shop) = (ManualClock(), Lifecycle("shop", grace: .seconds(20)))
    let policy = Self.policy { $0.intensity = 3 }
    let database = shop.phase(
      "database", restart: policy, script: .fails(.max, after: .seconds(1), "connection lost"), on: clock)
    shop.phase("web", requires: database, script: .obedient, on: clock)
    let recorder = Recorder(of: shop)
    async let report = shop.run(on: clock)
    for run in 1...4 {
      await clock.recorder.wait(for: "database: ready", times: run)
      if run == 1 { await clock.recorder.wait(for: "web: ready") }
      clock.advance(by: .seconds(1))
      guard run < 4 else { break }
      await recorder.wait(for: "web: waiting", times: run)
      let phases = shop.snapshot().phases
      #expect(phases[0].state == .restarting)
      #expect(phases[0].restarts == run)
      #expect(phases[1].state == .ready)
      #expect(phases[1].isWaiting)
      clock.advanceToNext()
      await recorder.wait(for: "web: resumed", times: run)
    }
    #expect(await report.exitCode == 1)
    #expect(await report.phases[0].end.error == "gave up after 3 restarts in 10 min 0 s: connection lost")
    #expect(await report.phases[0].restarts.map(\.delay) == [.seconds(0.1), .seconds(0.2), .seconds(0.4), nil])
    #expect(await report.phases[1].end == .drained)
    #expect(clock.recorder.events.count { $0 == "web: started" } == 1)
    await recorder.wait(for: "finished")
    #expect(recorder.saw(inOrder: "web: drained", "database: draining"))
    #expect(
      await report.text.contains(
        """
        !       restarted 3 times
        !         at 1.000 s, again after 0.100 s: connection lost
        !         at 2.100 s, again after 0.200 s: connection lost
        !         at 3.300 s, again after 0.400 s: connection lost
        !         at 4.700 s, gave up: connection lost
        """))
  }
}
