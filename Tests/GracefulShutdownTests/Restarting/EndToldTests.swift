import GracefulTesting
import Testing

@testable import GracefulShutdown

/// The end of the whole comes after that of each phase.
@Suite("The end of a phase that was started again", .timeLimit(.minutes(1)))
struct EndToldTests {
  private let clock = ManualClock()

  private static var policy: RestartPolicy { RestartedPair.prompt { $0.dependents = .restart } }

  private func read(_ events: AsyncStream<LifecycleEvent>) async -> [String] {
    var read: [String] = []
    for await event in events { read.append(event.kind == .finished ? "finished" : "\(event)") }
    return read
  }

  @Test("is told before that of the whole, when the stop comes while it waits to run again")
  func restarting() async {
    let driver = LifecycleDriver.underTest(
      [.init("consumer", restart: Self.policy)],
      bodies: [
        { phase in
          phase.ready()
          throw PhaseScript.Failure("lost")
        }
      ], on: clock)
    async let read = read(driver.events.subscribe())
    async let report = driver.run()
    await driver.wait { $0.phases[0].state == .restarting }
    driver.requestStop(StopRequest())
    #expect(await report.phases[0].end == .drained)
    #expect(await read.suffix(2) == ["consumer: drained", "finished"])
  }

  @Test("is told once, when the stop comes before it runs again")
  func recycled() async {
    let driver = LifecycleDriver.underTest(
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
    await driver.wait { $0.phases[1].state == .waiting && $0.phases[0].state == .restarting }
    driver.requestStop(StopRequest())
    #expect(await report.phases[1].end == .failed("flush failed"))
    let events = await read
    #expect(events.count { $0.hasPrefix("web: failed") } == 1)
    #expect(events.last == "finished")
  }
}
