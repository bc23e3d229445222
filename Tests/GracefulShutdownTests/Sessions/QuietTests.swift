import GracefulShutdown
import GracefulTesting
import Testing

@Suite("Quiet", .timeLimit(.minutes(1)))
struct QuietTests {
  private let clock: ManualClock
  private let phase: Phase

  init() {
    clock = ManualClock()
    phase = Phase(name: "web", environment: clock)
  }

  /// Begins to wait, and comes back when the first look has been taken.
  private func wait(for duration: Duration) async -> Task<Void, Never> {
    let (phase, clock) = (phase, clock)
    let task = Task {
      await phase.quiet(for: duration)
      clock.recorder.record("quiet")
    }
    while !clock.advanceToNext() { await Task.yield() }
    return task
  }

  @Test("comes when nothing new was admitted for so long")
  func comes() async {
    let start = clock.time
    let task = await wait(for: .seconds(8))
    while clock.advanceToNext() {}
    await task.value
    #expect(clock.time - start == .seconds(8))
  }

  @Test("begins anew with every session that is admitted, and never comes early")
  func anew() async throws {
    let start = clock.time
    let task = await wait(for: .seconds(8))
    #expect(clock.time - start == .seconds(1))
    // Half a second after a look: noticed half a second later.
    clock.advance(by: .milliseconds(5_500))
    try phase.beginSession().end()
    clock.advance(by: .milliseconds(8_400))
    #expect(!clock.recorder.events.contains("quiet"))
    while clock.advanceToNext() {}
    await task.value
    #expect(clock.time - start == .seconds(15))
  }

  @Test("does not mind what is refused, nor what goes on inside")
  func refused() async throws {
    let inside = try phase.beginSession()
    phase.gate.close {}
    let start = clock.time
    let task = await wait(for: .seconds(8))
    _ = try? phase.beginSession().end()
    while clock.advanceToNext() {}
    await task.value
    #expect(clock.time - start == .seconds(8))
    inside.end()
  }

  @Test("is not waited for by a task that is cancelled, before or while it waits")
  func cancelled() async {
    let task = await wait(for: .seconds(8))
    task.cancel()
    await task.value
    let phase = phase
    let other = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      await phase.quiet(for: .seconds(8))
    }
    await other.value
    await phase.quiet(for: .zero)
    await phase.quiet(for: .seconds(-1))
  }
}
