import GracefulShutdown
import GracefulTesting
import Testing

@Suite("Quiet", .timeLimit(.minutes(1)))
struct QuietTests {
  private let ladder: ManualLadder
  private let phase: Phase

  init() {
    ladder = ManualLadder()
    phase = Phase(name: "web", environment: ladder)
  }

  /// Begins to wait, and comes back when the first look has been taken.
  private func wait(for duration: Duration) async -> Task<Void, Never> {
    let (phase, ladder) = (phase, ladder)
    let task = Task {
      await phase.quiet(for: duration)
      ladder.recorder.record("quiet")
    }
    while !ladder.advanceToNext() { await Task.yield() }
    return task
  }

  @Test("comes when nothing new was admitted for so long")
  func comes() async {
    let start = ladder.time
    let task = await wait(for: .seconds(8))
    while ladder.advanceToNext() {}
    await task.value
    #expect(ladder.time - start == .seconds(8))
  }

  @Test("begins anew with every session that is admitted, and never comes early")
  func anew() async throws {
    let start = ladder.time
    let task = await wait(for: .seconds(8))
    #expect(ladder.time - start == .seconds(1))
    // Half a second after a look: noticed half a second later.
    ladder.advance(by: .milliseconds(5_500))
    try phase.beginSession().end()
    ladder.advance(by: .milliseconds(8_400))
    #expect(!ladder.recorder.events.contains("quiet"))
    while ladder.advanceToNext() {}
    await task.value
    #expect(ladder.time - start == .seconds(15))
  }

  @Test("does not mind what is refused, nor what goes on inside")
  func refused() async throws {
    let inside = try phase.beginSession()
    phase.gate.close {}
    let start = ladder.time
    let task = await wait(for: .seconds(8))
    _ = try? phase.beginSession().end()
    while ladder.advanceToNext() {}
    await task.value
    #expect(ladder.time - start == .seconds(8))
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
