import GracefulShutdown
import GracefulTesting
import Testing

/// Sessions without a scope, on a phase of their own and with manual time.
@Suite("A session", .timeLimit(.minutes(1)))
struct SessionTests {
  private let clock: ManualClock
  private let phase: Phase

  init() {
    clock = ManualClock()
    phase = Phase(name: "web", environment: clock)
  }

  private var counts: SessionCounts { phase.gate.counts }

  private func close() { phase.gate.close { [recorder = clock.recorder] in recorder.record("empty") } }

  @Test("is counted from its beginning to its end")
  func counted() throws {
    let first = try phase.beginSession()
    let second = try phase.beginSession()
    #expect(counts.live == 2)
    first.end()
    #expect(counts.live == 1)
    second.end()
    #expect(counts.live == 0)
    #expect(counts.admitted == 2)
    #expect(counts.failed == 0)
  }

  @Test("that is dropped without an end ends there; so one cannot be forgotten")
  func dropped() throws {
    do {
      let session = try phase.beginSession("forgotten")
      defer { extendLifetime(session) }
      #expect(counts.live == 1)
    }
    #expect(counts.live == 0)
    #expect(phase.gate.named(limit: 1).isEmpty)
  }

  @Test("that failed is counted as failed, before and after the closing")
  func failed() throws {
    let early = try phase.beginSession()
    let late = try phase.beginSession()
    early.fail()
    close()
    late.fail()
    #expect(counts.failed == 2)
    #expect(counts.failedWhileDraining == 1)
    #expect(counts.drained == 0)
    #expect(clock.recorder.events == ["empty"])
  }

  @Test("S6: is refused once the phase drains, with an error that says what, by whom and what to do")
  func refused() throws {
    let inside = try phase.beginSession()
    close()
    let error = #expect(throws: PhaseError.self) { _ = try phase.beginSession("POST /orders").end() }
    #expect(error?.code == .refused)
    #expect(error?.phase == "web")
    #expect(error?.tried == "session \"POST /orders\"")
    let text = error.map { "\($0)" } ?? ""
    #expect(text.hasPrefix("session \"POST /orders\" on phase \"web\": refused, the phase drains"), "\(text)")
    #expect(text.contains("503"))
    #expect(throws: PhaseError.self) { _ = try phase.beginSession().end() }
    #expect(counts.refused == 2)
    #expect(counts.live == 1)
    inside.end()
    #expect(counts.drained == 1)
    #expect(clock.recorder.events == ["empty"])
  }

  @Test("is refused also by a phase that never had one, and closing that one calls back at once")
  func refusedWithout() {
    close()
    #expect(clock.recorder.events == ["empty"])
    #expect(throws: PhaseError.self) { _ = try phase.beginSession().end() }
    #expect(counts == refusedOnce)
    #expect(phase.gate.isClosed)
    #expect(phase.gate.cancelAll().isEmpty)
  }

  private var refusedOnce: SessionCounts {
    var counts = SessionCounts()
    counts.refused = 1
    return counts
  }

  @Test("Closing twice closes once, and only the first is called back")
  func closedTwice() throws {
    let session = try phase.beginSession()
    close()
    phase.gate.close { Issue.record("the second was called back") }
    #expect(clock.recorder.events.isEmpty)
    session.end()
    #expect(clock.recorder.events == ["empty"])
  }

  @Test("Trap 2: opens sub-work while the phase drains, and the phase waits for that, too")
  func subWork() throws {
    let connection = try phase.beginSession("connection")
    close()
    #expect(throws: PhaseError.self) { _ = try phase.beginSession("another connection").end() }
    let request = connection.beginSession("request")
    connection.end()
    #expect(clock.recorder.events.isEmpty)
    let query = request.beginSession()
    request.end()
    #expect(clock.recorder.events.isEmpty)
    query.end()
    #expect(clock.recorder.events == ["empty"])
    #expect(counts.liveAtClose == 1)
    #expect(counts.admittedWhileDraining == 2)
    #expect(counts.drained == 3)
  }

  @Test("may end on another thread than it began on")
  func elsewhere() async throws {
    let session = try phase.beginSession("job").shared()
    close()
    await onThreads(1) { _ in session.end() }
    await clock.recorder.wait(for: "empty")
    #expect(counts.live == 0)
  }

  @Test("that is shared ends once, whoever ends it first and however often")
  func shared() throws {
    let session = try phase.beginSession().shared()
    let other = try phase.beginSession()
    session.end()
    session.end()
    session.fail()
    #expect(counts.live == 1)
    #expect(counts.failed == 0)
    if let inner = session.beginSession() {
      Issue.record("opened inside one that has ended")
      inner.end()
    }
    other.end()
  }

  @Test("that is shared opens sub-work until it has ended, and ends with its last holder")
  func sharedSubWork() throws {
    do {
      let session = try phase.beginSession("shared").shared()
      close()
      guard let inner = session.beginSession("inner") else {
        Issue.record("refused")
        return
      }
      #expect(phase.gate.named(limit: 9).map(\.name) == ["shared", "inner"])
      inner.end()
      #expect(counts.live == 1)
    }
    #expect(counts.live == 0)
    #expect(clock.recorder.events == ["empty"])
  }

  @Test("The count of admitted goes on beyond what a stripe's word can hold")
  func wraps() throws {
    let nearly = SessionWord(raw: UInt64(UInt32.max - 1) << 32)
    let gate = SessionGate(now: { .now }, startingAt: nearly)
    let web = Phase(name: "web", environment: clock, gate: gate)
    try web.beginSession().end()
    let before = gate.counts.admitted
    for _ in 0..<4 { try web.beginSession().end() }
    #expect(gate.counts.admitted == before + 4)
    #expect(gate.counts.live == 0)
  }

  @Test("A gate that is full of 2^36 sessions refuses, and counts on")
  func full() {
    let gate = SessionGate(now: { .now }, startingAt: SessionWord(raw: 1 << 31))
    let web = Phase(name: "web", environment: clock, gate: gate)
    #expect(throws: PhaseError.self) { _ = try web.beginSession().end() }
    // They are made up and never end, and so their memory is never freed.
    #expect(gate.counts.live == 1 << 36)
    #expect(gate.counts.refused == 1)
  }
}
