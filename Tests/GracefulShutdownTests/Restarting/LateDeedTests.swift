import GracefulTesting
import Synchronization
import Testing

@testable import GracefulShutdown

/// What was decided for one run of a phase never reaches another, however late it is done.
@Suite("A deed that comes after its phase was started again", .timeLimit(.minutes(1)))
struct LateDeedTests {
  private let clock = ManualClock()
  private var pair: RestartedPair { RestartedPair(clock: clock) }

  @Test("Hearing, turn and release of a run that is over do not reach the next one")
  func moments() async throws {
    let (held, driver, _, web) = pair.run(RestartedPair.prompt { $0.dependents = .restart }) { action in
      switch action {
      case .hear(1, _), .turn(1, _), .release(1, _), .renew(1): true
      default: false
      }
    }
    async let report = driver.run()
    await clock.recorder.wait(for: "web 1")
    clock.recorder.record("database 1 fails")
    // It comes back when it is told to drain: its turn has been decided, and not been told.
    await held.wait { if case .drain(1, _) = $0 { true } else { false } }
    clock.recorder.record("web 1 ends")
    await held.wait { $0 == .renew(1) }
    clock.advanceToNext()
    await clock.recorder.wait(for: "web 2")
    #expect(held.count == 4)
    held.performAll()
    #expect(web[1].isStopRequested)
    #expect(!web[2].isStopRequested)
    #expect(web[2].deadline == nil)
    #expect(!web[2].moments.hasClosed)
    try await web[2].withSession {}
    await #expect(throws: PhaseError.self) { try await web[1].withSession {} }
    pair.end(held, driver, web: 2)
    #expect(await report.exitCode == 0)
    held.letGo()
  }

  @Test("The cut and the cancellation of a run that is over cancel nothing in the next one")
  func cancellation() async throws {
    let (held, driver, _, web) = pair.run(RestartedPair.prompt { $0.dependents = .restart }, webLimit: .seconds(1)) {
      action in
      switch action {
      case .cut(1), .cancel(1, _): true
      default: false
      }
    }
    async let report = driver.run()
    await clock.recorder.wait(for: "web 1")
    let session = try web[1].beginSession("slow")
    clock.recorder.record("database 1 fails")
    await held.wait { if case .drain(1, _) = $0 { true } else { false } }
    // Over its limit with a session inside: cut, and then cancelled.
    clock.advance(by: .seconds(1))
    session.end()
    await held.wait { if case .cancel(1, _) = $0 { true } else { false } }
    clock.recorder.record("web 1 ends")
    await clock.recorder.wait(for: "web 2")
    async let inside: Void = web[2].withSession("import", cancellable: true) {
      clock.recorder.record("inside")
      await clock.recorder.wait(for: "go on")
      try Task.checkCancellation()
    }
    await clock.recorder.wait(for: "inside")
    held.performAll()
    #expect(!web[2].gate.isCancelled)
    #expect(!web[2].isStopRequested)
    clock.recorder.record("go on")
    try await inside
    pair.end(held, driver, web: 2)
    #expect(await report.exitCode == 0)
    #expect(await report.stragglers.isEmpty, "who was late when it was started again, was late in no stop")
    held.letGo()
  }

  @Test("A run that is over cannot say that the next one is ready, nor stop it")
  func lateWords() async {
    let (held, database) = (HeldDeeds { _ in false }, RecordedRuns("database", clock))
    let driver = held.driver(
      [.init("database", restart: RestartedPair.prompt())], bodies: [database.body(saysReady: false)], on: clock)
    async let report = driver.run()
    await clock.recorder.wait(for: "database 1")
    clock.recorder.record("database 1 fails")
    await held.wait { if case .restart(0, _, _) = $0 { true } else { false } }
    database[1].ready()
    clock.advanceToNext()
    await clock.recorder.wait(for: "database 2")
    database[1].ready()
    database[1].requestStop()
    #expect(driver.snapshot().phases[0].state == .starting)
    database[2].ready()
    #expect(driver.snapshot().phases[0].state == .ready)
    driver.requestStop(StopRequest())
    #expect(await report.exitCode == 0)
    #expect(await report.ignored.count == 3)
    held.letGo()
  }

  @Test("Whatever the order in which deeds are done, no run is told what was not decided for it", arguments: 0..<60)
  func anyOrder(seed: UInt64) async {
    let held = HeldDeeds { _ in true }
    let chance = Mutex(Chance(seed: seed))
    let choose: @Sendable (Int) -> Int = { count in
      chance.withLock { min(Int(($0.next() + 1) / 2 * Double(count)), count - 1) }
    }
    let told = Mutex<[(id: Int, round: Int, moment: Phase.Moment)]>([])
    let bodies: [Lifecycle.Body] = (0..<3).map { id in
      { phase in
        // Told before it begins, is told too early; and each by the decision that was made for this round.
        for moment: Phase.Moment in [.stopRequested, .drain, .turn] where phase.moments.hasReached(moment) {
          told.withLock { $0.append((id, phase.round, moment)) }
        }
        if Task.isCancelled { told.withLock { $0.append((id, phase.round, .cancelled)) } }
        if choose(8) > 0 { phase.ready() }
        for _ in 0..<choose(20) { await Task.yield() }
        let fails = choose(3) == 0
        if !fails { await phase.wait(for: choose(2) == 0 ? .drain : .turn) }
        for moment: Phase.Moment in [.stopRequested, .drain, .turn] where phase.moments.hasReached(moment) {
          told.withLock { $0.append((id, phase.round, moment)) }
        }
        if fails { throw PhaseScript.Failure("lost") }
      }
    }
    let policies: [RestartPolicy] = (0..<3).map { id in
      RestartedPair.prompt { policy in
        policy.dependents = id == 1 ? .wait : .restart
        policy.sessions = id == 0 ? .wait : .refuse
        policy.intensity = 1000
        policy.firstDelay = .zero
      }
    }
    let driver = held.driver(
      [
        .init("a", startLimit: .seconds(1), restart: policies[0]),
        .init("b", requires: ["a"], startLimit: .seconds(1), restart: policies[1]),
        .init("c", requires: ["b"], startLimit: .seconds(1), limit: .seconds(1), restart: policies[2]),
      ], bodies: bodies, on: clock)
    let done = Atomic(false)
    async let report: LifecycleReport = {
      let report = await driver.run()
      done.store(true, ordering: .releasing)
      return report
    }()
    for step in 0... {
      if done.load(ordering: .acquiring) { break }
      if step == 400 { driver.requestStop(StopRequest()) }
      if choose(3) == 0 || !held.performNext(choose) {
        if choose(4) == 0 || step > 2000 { clock.advanceToNext() }
        await Task.yield()
      }
    }
    held.performAll()
    _ = await report
    // Counted again from the decisions alone, in their order.
    var rounds = [0, 0, 0]
    var decided: Set<String> = []
    for deed in held.decided {
      switch deed.action {
      case .renew(let id): rounds[id] += 1
      case .hear(let id, _): decided.insert("\(id) \(rounds[id]) stop requested")
      case .drain(let id, _): decided.formUnion(["stop requested", "drain"].map { "\(id) \(rounds[id]) \($0)" })
      case .turn(let id, _), .cancel(let id, _):
        decided.formUnion(["stop requested", "drain", "turn", "cancelled"].map { "\(id) \(rounds[id]) \($0)" })
      default: break
      }
    }
    for (id, round, moment) in told.withLock({ $0 }) {
      #expect(decided.contains("\(id) \(round) \(moment)"), "seed \(seed)")
    }
    held.letGo()
  }
}
