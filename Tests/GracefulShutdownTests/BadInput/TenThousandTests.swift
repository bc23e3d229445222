import CThreadSanitizer
import GracefulShutdown
import GracefulTesting
import Testing

/// Depth and number: no call inside a call for each, and no search through all for each.
@Suite("Ten thousand phases", .serialized, .timeLimit(.minutes(2)))
struct TenThousandTests {
  private let clock = ManualClock()
  private let shop = Lifecycle("shop", grace: .seconds(20), logger: .silent)
  /// With the thread sanitizer, which has no depth or number of its own to look for, a tenth: it is slow.
  private static let count = cts_is_watching() ? 1000 : 10_000

  /// A chain, each of which requires the one before it.
  private func chain(of count: Int = count, _ body: @escaping @Sendable (Phase, Int) async throws -> Void) {
    for id in 0..<count {
      shop.phase("\(id)", requires: id == 0 ? [] : [PhaseHandle("\(id - 1)")]) { try await body($0, id) }
    }
  }

  @Test("in a chain start one after the other, and stop one after the other")
  func chain() async {
    let clock = clock
    chain { phase, id in
      phase.ready()
      if id == Self.count - 1 { clock.recorder.record("all are ready") }
      await phase.turnToStop()
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "all are ready")
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(await report.phases.allSatisfy { $0.end == .drained })
  }

  @Test("in a chain that all come back when they hear end in one go, when the last one does")
  func earlyReturns() async {
    let clock = clock
    let returned = Count()
    chain { phase, id in
      phase.ready()
      if id == Self.count - 1 {
        clock.recorder.record("all are ready")
        await phase.turnToStop()
        await clock.recorder.wait(for: "the others have returned")
      } else {
        await phase.stopRequested()
        if returned.add() == Self.count - 1 { clock.recorder.record("the others have returned") }
      }
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "all are ready")
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(await report.phases.allSatisfy { $0.end == .drained })
  }

  @Test("in a chain of which none ever ends are all abandoned within the grace")
  func allHang() async {
    let clock = clock
    chain(of: Self.count) { phase, id in
      phase.ready()
      if id == Self.count - 1 { clock.recorder.record("all are ready") }
      await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "all are ready")
    shop.requestStop()
    clock.advance(by: .seconds(17))
    // In one step, as on a machine that is too busy to notice each of the ten thousand instants in time.
    clock.advance(by: .seconds(2))
    #expect(await report.phases.allSatisfy { $0.end == .abandoned })
    #expect(await report.stragglers.first?.name == "\(Self.count - 1)")
  }

  @Test("beside each other start and stop at once")
  func siblings() async {
    let clock = clock
    let ready = Count()
    for id in 0..<Self.count {
      shop.phase("\(id)") { phase in
        phase.ready()
        if ready.add() == Self.count { clock.recorder.record("all are ready") }
        await phase.turnToStop()
      }
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "all are ready")
    shop.requestStop()
    #expect(await report.exitCode == 0)
  }

  /// Each opened inside the one before it, while the program runs.
  private static func nest(_ left: Int, _ innermost: @escaping @Sendable (Phase) async -> Void) async throws {
    try await withPhase("child") { child in
      if left > 1 { try await nest(left - 1, innermost) } else { await innermost(child) }
    }
  }

  @Test("opened inside each other end from the innermost outwards")
  func nested() async {
    let clock = clock
    shop.phase("web") { phase in
      phase.ready()
      try await Self.nest(Self.count) { child in
        clock.recorder.record("all are open")
        await child.turnToStop()
      }
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "all are open")
    shop.requestStop()
    #expect(await report.exitCode == 0)
    #expect(await report.childrenOpened == Self.count)
  }

  @Test("opened inside each other end when the task of the outermost is cancelled, from the innermost outwards")
  func nestedAndCancelled() async {
    let clock = clock
    shop.phase("web") { phase in
      phase.ready()
      let task = Task {
        try await Self.nest(Self.count) { child in
          clock.recorder.record("all are open")
          await child.turnToStop()
        }
      }
      await clock.recorder.wait(for: "all are open")
      task.cancel()
      _ = await task.result
      phase.requestStop()
    }
    let report = await shop.run(on: clock)
    #expect(report.exitCode == 0, "\(report.summary)")
  }

  @Test("opened beside each other end when the tasks of all are cancelled one by one")
  func siblingsCancelled() async {
    let clock = clock
    let open = Count()
    shop.phase("web") { phase in
      phase.ready()
      let tasks = (0..<Self.count).map { _ in
        Task {
          try await withPhase("child") { child in
            if open.add() == Self.count { clock.recorder.record("all are open") }
            for await _ in AsyncStream<Never>.makeStream().stream {}
          }
        }
      }
      await clock.recorder.wait(for: "all are open")
      for task in tasks { task.cancel() }
      for task in tasks { _ = await task.result }
      phase.requestStop()
    }
    let report = await shop.run(on: clock)
    #expect(report.exitCode == 0, "\(report.summary)")
  }

  @Test("opened inside each other, whose bodies have all come back, end in one go when the innermost does")
  func nestedWithoutBodies() async {
    let clock = clock
    let returned = Count()
    shop.phase("web") { phase in
      phase.ready()
      let task = Task {
        try await Self.nestAndLeave(Self.count, clock.recorder, returned) {}
      }
      await clock.recorder.wait(for: "the others have returned")
      clock.recorder.record("the innermost may return")
      _ = await task.result
      await phase.turnToStop()
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "the innermost may return")
    shop.requestStop()
    #expect(await report.exitCode == 0)
  }

  /// Each opens the next one in a task of its own, and comes back once all are open; the innermost when it may.
  private static func nestAndLeave(
    _ left: Int, _ recorder: Recorder, _ returned: Count, _ isOpen: @escaping @Sendable () -> Void
  ) async throws {
    try await withPhase("child") { _ in
      isOpen()
      guard left > 1 else {
        recorder.record("all are open")
        return await recorder.wait(for: "the innermost may return")
      }
      await withCheckedContinuation { next in
        Task { try await nestAndLeave(left - 1, recorder, returned) { next.resume() } }
      }
      await recorder.wait(for: "all are open")
      if returned.add() == count - 1 { recorder.record("the others have returned") }
    }
  }
}
