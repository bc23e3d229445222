import GracefulShutdown
import GracefulTesting
import Testing

/// What a test throws where a user's code would.
struct Broken: Error, Hashable {}

@Suite("A scoped session", .timeLimit(.minutes(1)))
struct ScopedSessionTests {
  private let clock: ManualClock
  private let phase: Phase

  init() {
    clock = ManualClock()
    phase = Phase(name: "web", environment: clock)
  }

  private var counts: SessionCounts { phase.gate.counts }

  private func close() { phase.gate.close { [recorder = clock.recorder] in recorder.record("empty") } }

  @Test("is live while its body runs, and gives back what that returns")
  func returns() async throws {
    let live = try await phase.withSession("POST /orders") {
      #expect(phase.gate.named(limit: 1).map(\.name) == ["POST /orders"])
      #expect(Phase.current === phase)
      return counts.live
    }
    #expect(live == 1)
    #expect(counts.live == 0)
    #expect(counts.failed == 0)
    #expect(Phase.current == nil)
  }

  @Test("whose body throws is counted as failed, and the caller sees the error")
  func fails() async throws {
    await #expect(throws: Broken.self) { try await phase.withSession { throw Broken() } }
    #expect(counts.failed == 1)
    #expect(counts.live == 0)
  }

  @Test("Trap 3: a CancellationError that the lifecycle did not cause is a failure; after it cancelled, it is none")
  func cancellationError() async throws {
    await #expect(throws: CancellationError.self) { try await phase.withSession { throw CancellationError() } }
    #expect(counts.failed == 1)
    #expect(counts.cancelled == 0)
    #expect(phase.gate.cancelAll().isEmpty)
    await #expect(throws: CancellationError.self) { try await phase.withSession { throw CancellationError() } }
    await #expect(throws: Broken.self) { try await phase.withSession { throw Broken() } }
    #expect(counts.failed == 2)
    #expect(counts.cancelled == 1)
  }

  @Test("is refused once the phase drains, and its body is not called")
  func refused() async throws {
    close()
    let error = await #expect(throws: PhaseError.self) {
      try await phase.withSession("late") { Issue.record("called all the same") }
    }
    #expect(error?.code == .refused)
    #expect(counts.refused == 1)
  }

  @Test("Trap 2: below one the phase is still open while it drains, in the same task and in those that it starts")
  func subWork() async throws {
    let phase = phase
    try await phase.withSession("request") {
      close()
      try await phase.withSession("query") { #expect(counts.live == 2) }
      try await withSession("found") { #expect(counts.live == 2) }
      try phase.beginSession("unscoped").end()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await phase.withSession("child task") {} }
        try await group.waitForAll()
      }
      try await Task { try await phase.withSession("task", cancellable: true) {} }.value
      #expect(clock.recorder.events == [])
    }
    #expect(clock.recorder.events == ["empty"])
    #expect(counts.refused == 0)
    #expect(counts.drained == 6)
  }

  @Test("Trap 2: also through a session of another phase that it has opened")
  func throughAnotherPhase() async throws {
    let database = Phase(name: "database", environment: clock)
    try await phase.withSession("request") {
      try await database.withSession("query") {
        close()
        try await phase.withSession("answer") { #expect(Phase.current === phase) }
        #expect(Phase.current === database)
        // And back in once more.
        try await phase.withSession("outer") {
          try await database.withSession { try await phase.withSession("inner") {} }
        }
      }
    }
    #expect(counts.refused == 0)
    #expect(clock.recorder.events == ["empty"])
  }

  @Test("Trap 2: a session of another phase is no way in")
  func notThroughAnother() async throws {
    let database = Phase(name: "database", environment: clock)
    close()
    try await database.withSession("query") {
      _ = await #expect(throws: PhaseError.self) { try await phase.withSession("from elsewhere") {} }
    }
  }

  @Test("that a task has outlived lets it in as long as others are inside beside it, and that is waited for")
  func staleBesideOthers() async throws {
    let (phase, recorder) = (phase, clock.recorder)
    let (late, others) = try await phase.withSession("request") {
      close()
      // Opened inside, so in the same stripe; it outlives the session that opened it.
      let others = try phase.beginSession("others").shared()
      let late = Task {
        await recorder.wait(for: "the request is over")
        try await phase.withSession("late") {
          others.end()
          #expect(recorder.events == ["the request is over"], "it is waited for")
        }
      }
      return (late, others)
    }
    recorder.record("the request is over")
    try await late.value
    withExtendedLifetime(others) {}
    #expect(counts.live == 0)
    #expect(recorder.events == ["the request is over", "empty"])
  }

  @Test("that a task has outlived opens nothing any more when nobody is left inside, and harms nobody")
  func stale() async throws {
    let (phase, recorder) = (phase, clock.recorder)
    let late = try await phase.withSession("request") {
      Task {
        await recorder.wait(for: "empty")
        #expect(Phase.current === phase)
        let error = await #expect(throws: PhaseError.self) { try await phase.withSession("too late") {} }
        #expect(error?.code == .refused)
        #expect(throws: PhaseError.self) { _ = try phase.beginSession().end() }
        #expect(phase.enter() == nil)
      }
    }
    close()
    await late.value
    #expect(counts.live == 0)
    #expect(recorder.events == ["empty"])
  }

  @Test("that a task has outlived keeps the phase's memory, until the task is gone")
  func staleWithoutOwner() async throws {
    let recorder = clock.recorder
    var web: Phase? = Phase(name: "web", environment: clock)
    let late = try await web?.withSession("request") {
      Task {
        await recorder.wait(for: "dropped")
        try await withSession("still open") { #expect(Phase.current?.name == "web") }
      }
    }
    web = nil
    recorder.record("dropped")
    try await late?.value
  }

  @Test("Outside any phase, withSession says what to do")
  func outside() async {
    let error = await #expect(throws: PhaseError.self) {
      try await withSession("import") { Issue.record("called all the same") }
    }
    #expect(error?.code == .outsideAnyPhase)
    #expect(error.map { "\($0)" }?.hasPrefix("session \"import\": this task is in no phase; call it on") == true)
    await #expect(throws: PhaseError.self) { try await withSession(cancellable: true) {} }
  }

  @Test("stays on the actor of its caller")
  func isolation() async throws {
    let counter = Counter()
    try await counter.count(in: phase)
    #expect(await counter.value == 2)
  }

  private actor Counter {
    var value = 0

    func count(in phase: Phase) async throws {
      try await phase.withSession {
        value += 1
        preconditionIsolated()
        await Task.yield()
        try await withSession("inner") {
          preconditionIsolated()
          value += 1
        }
      }
    }
  }
}
