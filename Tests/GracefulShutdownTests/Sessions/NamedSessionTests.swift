import GracefulShutdown
import GracefulTesting
import Testing

@Suite("A session with a name", .timeLimit(.minutes(1)))
struct NamedSessionTests {
  private let clock: ManualClock
  private let phase: Phase

  init() {
    clock = ManualClock()
    phase = Phase(name: "web", environment: clock)
  }

  private func ages(limit: Int = 10) -> [String] {
    phase.gate.named(limit: limit).map { "\($0.name) \((clock.time - $0.since).components.seconds)" }
  }

  @Test("is listed with its age as long as it is inside, the oldest first")
  func ages() throws {
    let first = try phase.beginSession("first")
    clock.advance(by: .seconds(2))
    let second = try phase.beginSession("second")
    let unnamed = try phase.beginSession()
    clock.advance(by: .seconds(3))
    let third = first.beginSession("third")
    #expect(ages() == ["first 5", "second 3", "third 0"])
    #expect(ages(limit: 2) == ["first 5", "second 3"])
    #expect(ages(limit: 0) == [])
    first.end()
    #expect(ages() == ["second 3", "third 0"])
    second.fail()
    third.end()
    #expect(ages() == [])
    #expect(phase.gate.counts.live == 1)
    unnamed.end()
  }

  @Test("costs the clock a look, and one without a name none")
  func costsTheClockALook() throws {
    let clock = clock
    let gate = SessionGate(now: {
      clock.recorder.record("asked")
      return clock.time
    })
    let web = Phase(name: "web", environment: clock, gate: gate)
    try web.beginSession().end()
    #expect(clock.recorder.events == [])
    try web.beginSession("named").end()
    #expect(clock.recorder.events == ["asked"])
  }

  @Test("is found among thousands that come and go, whatever place it takes")
  func thousands() throws {
    var sessions: [SharedSession] = []
    for index in 0..<3_000 {
      sessions.append(try phase.beginSession("\(index)").shared())
      clock.advance(by: .seconds(1))
    }
    #expect(ages(limit: 3) == ["0 3000", "1 2999", "2 2998"])
    for index in stride(from: 0, to: 3_000, by: 2) { sessions[index].end() }
    #expect(ages(limit: 2) == ["1 2999", "3 2997"])
    // These take the places of those that left.
    for index in 3_000..<5_000 { sessions.append(try phase.beginSession("\(index)").shared()) }
    #expect(phase.gate.named(limit: .max).count == 3_500)
    #expect(Set(phase.gate.named(limit: .max).map(\.name)).count == 3_500)
    sessions = []
    #expect(ages() == [])
    #expect(phase.gate.counts.live == 0)
    // After a peak the table is let go of, and works on.
    let session = try phase.beginSession("after")
    #expect(ages() == ["after 0"])
    session.end()
  }
}
