import GracefulShutdown
import GracefulTesting
import Testing

@Suite("A cancellable session", .timeLimit(.minutes(1)))
struct CancellableSessionTests {
  private let clock: ManualClock
  private let phase: Phase

  init() {
    clock = ManualClock()
    phase = Phase(name: "web", environment: clock)
  }

  private var counts: SessionCounts { phase.gate.counts }

  private func cancelAll() { for cancel in phase.gate.cancelAll() { cancel() } }

  /// Waits until it is cancelled.
  private static func hang(_ recorder: Recorder, _ event: String) async throws {
    recorder.record(event)
    await recorder.wait(for: "never")
    try Task.checkCancellation()
  }

  @Test("S6: is cancelled alone, and never the task of whoever opened it")
  func alone() async throws {
    let (phase, recorder) = (phase, clock.recorder)
    let caller = Task {
      let scoped = Task {
        try await phase.withSession("scoped") {
          recorder.record("scoped runs")
          await recorder.wait(for: "over")
          #expect(!Task.isCancelled)
        }
      }
      await #expect(throws: CancellationError.self) {
        try await phase.withSession("import", cancellable: true) { try await Self.hang(recorder, "import runs") }
      }
      #expect(!Task.isCancelled)
      recorder.record("over")
      try await scoped.value
      // The connection lives on, as a keep-alive loop must.
      try await phase.withSession("next") { #expect(!Task.isCancelled) }
    }
    await recorder.wait(for: "import runs")
    await recorder.wait(for: "scoped runs")
    cancelAll()
    try await caller.value
    #expect(counts.cancelled == 1)
    #expect(counts.failed == 0)
    #expect(counts.live == 0)
  }

  @Test("that begins after all were cancelled is cancelled as it begins")
  func late() async throws {
    let phase = phase
    cancelAll()
    let wasCancelled = try await phase.withSession(cancellable: true) {
      await clock.recorder.wait(for: "never")
      return Task.isCancelled
    }
    #expect(wasCancelled)
    // It returned: cancelled or not, what came back well has ended well.
    #expect(counts.cancelled == 0)
    #expect(counts.failed == 0)
  }

  @Test("is cancelled with the task of its caller, which counts as failed: the lifecycle did not do it")
  func withTheCaller() async throws {
    let (phase, recorder) = (phase, clock.recorder)
    let caller = Task {
      try await phase.withSession("import", cancellable: true) { try await Self.hang(recorder, "import runs") }
    }
    await recorder.wait(for: "import runs")
    caller.cancel()
    await #expect(throws: CancellationError.self) { try await caller.value }
    #expect(counts.failed == 1)
    #expect(counts.cancelled == 0)
    #expect(counts.live == 0)
  }

  @Test("that ignores it and comes back well has ended well; that throws something else has failed")
  func ignored() async throws {
    let (phase, recorder) = (phase, clock.recorder)
    async let well: Void = phase.withSession("well", cancellable: true) { try? await Self.hang(recorder, "well runs") }
    async let badly: Void = phase.withSession("badly", cancellable: true) {
      try? await Self.hang(recorder, "badly runs")
      throw Broken()
    }
    await recorder.wait(for: "well runs")
    await recorder.wait(for: "badly runs")
    phase.gate.close { recorder.record("empty") }
    cancelAll()
    try await well
    do {
      try await badly
      Issue.record("the error was lost")
    } catch {
      #expect(error is Broken)
    }
    #expect(counts.failedWhileDraining == 1)
    #expect(counts.drained == 1)
    #expect(recorder.events.last == "empty")
  }

  @Test("is found by name; without one it is cancelled just the same, and not listed")
  func unnamed() async throws {
    let (phase, recorder) = (phase, clock.recorder)
    async let session: Void = phase.withSession(cancellable: true) { try await Self.hang(recorder, "runs") }
    await recorder.wait(for: "runs")
    #expect(phase.gate.named(limit: 9).isEmpty)
    #expect(phase.gate.cancelAll().count == 1)
    cancelAll()
    do {
      try await session
      Issue.record("the error was lost")
    } catch {
      #expect(error is CancellationError)
    }
    #expect(phase.gate.cancelAll().isEmpty)
  }

  @Test("opens sub-work, knows its phase, and inherits the task-local values of its caller")
  func inherits() async throws {
    let phase = phase
    try await Inherited.$value.withValue(7) {
      try await phase.withSession("outer", cancellable: true) {
        #expect(Inherited.value == 7)
        #expect(Phase.current === phase)
        phase.gate.close {}
        try await withSession("inner", cancellable: true) {}
        try await withSession("not", cancellable: false) {}
      }
    }
    #expect(counts.drained == 3)
  }

  private enum Inherited {
    @TaskLocal static var value = 0
  }

  @Test("that is refused is an error, and its body is not called")
  func refused() async {
    phase.gate.close {}
    await #expect(throws: PhaseError.self) {
      try await phase.withSession("late", cancellable: true) { Issue.record("called all the same") }
    }
  }

  @Test("A thousand that begin while all are cancelled are all cancelled")
  func race() async throws {
    let (phase, recorder) = (phase, clock.recorder)
    let cancelled = try await withThrowingTaskGroup(of: Bool.self) { group in
      for index in 0..<1_000 {
        group.addTask {
          if index == 500 { for cancel in phase.gate.cancelAll() { cancel() } }
          do {
            try await phase.withSession(cancellable: true) {
              await recorder.wait(for: "never")
              try Task.checkCancellation()
            }
            return false
          } catch is CancellationError {
            return true
          }
        }
      }
      return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
    }
    #expect(cancelled == 1_000)
    #expect(counts.cancelled == 1_000)
    #expect(counts.live == 0)
  }
}
