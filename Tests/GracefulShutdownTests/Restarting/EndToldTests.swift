import GracefulTesting
import Testing

@testable import GracefulShutdown

/// The end of the whole comes after that of each phase, whichever threads are held up in between.
@Suite("The end of a phase that was started again", .timeLimit(.minutes(1)))
struct EndToldTests {
  private let clock = ManualClock()

  private static var policy: RestartPolicy {
    var policy = RestartPolicy.onFailure()
    policy.jitter = 0
    policy.dependents = .restart
    return policy
  }

  private func read(_ events: AsyncStream<LifecycleEvent>) async -> [String] {
    var read: [String] = []
    for await event in events { read.append(event.kind == .finished ? "finished" : "\(event)") }
    return read
  }

  @Test("is told although nobody has come to say that it restarts, nor that it drains")
  func restarting() async {
    let held = HeldDeeds { action in
      switch action {
      case .restart, .drain, .abandon: true
      default: false
      }
    }
    let driver = held.driver(
      [.init("consumer", restart: Self.policy)],
      bodies: [
        { phase in
          phase.ready()
          throw PhaseScript.Failure("lost")
        }
      ], on: clock)
    async let read = read(driver.events.subscribe())
    async let report = driver.run()
    await held.wait { if case .restart = $0 { true } else { false } }
    driver.requestStop(StopRequest())
    // Its gate is not closed, so that it is never empty.
    while driver.snapshot().state != .finished {
      clock.advanceToNext()
      await Task.yield()
    }
    #expect(await report.phases[0].end == .abandoned)
    held.performAll()
    #expect(await read.suffix(2) == ["consumer: abandoned", "finished"])
    held.letGo()
  }

  @Test("is told although nobody has come to say so before the stop, which comes before it runs again")
  func recycled() async {
    let held = HeldDeeds { if case .release(1, _) = $0 { true } else { false } }
    let driver = held.driver(
      [.init("database", restart: Self.policy), .init("web", requires: ["database"])],
      bodies: [
        { [clock] phase in
          phase.ready()
          await clock.recorder.wait(for: "web: ready")
          throw PhaseScript.Failure("lost")
        },
        { [clock] phase in
          phase.ready()
          clock.recorder.record("web: ready")
          await phase.turnToStop()
          throw PhaseScript.Failure("flush failed")
        },
      ], on: clock)
    async let read = read(driver.events.subscribe())
    async let report = driver.run()
    await held.wait { if case .release(1, _) = $0 { true } else { false } }
    driver.requestStop(StopRequest())
    #expect(await report.phases[1].end == .failed("flush failed"))
    held.performAll()
    let events = await read
    #expect(events.count { $0.hasPrefix("web: failed") } == 1)
    #expect(events.last == "finished")
    held.letGo()
  }
}
