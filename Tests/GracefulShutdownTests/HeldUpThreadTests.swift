import GracefulShutdown
import GracefulTesting
import Logging
import Synchronization
import Testing

/// A thread that is at what was decided may be held up in code of the user.
@Suite("A thread that is held up while it does what was decided", .timeLimit(.minutes(1)))
struct HeldUpThreadTests {
  /// Its level is asked for before each entry, by whoever has something to say: there it holds that one up.
  private struct HoldingHandler: LogHandler {
    let gate: HoldingGate
    var metadata: Logger.Metadata = [:]

    var logLevel: Logger.Level {
      get {
        gate.pass()
        return .critical
      }
      set {}
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { nil }
      set {}
    }

    func log(event: LogEvent) {}
  }

  /// Lets through until it is set, then holds up one: the second that comes.
  private final class HoldingGate: Sendable {
    private let passes = Atomic(-1)
    private let isOpen = Atomic(false)
    let holds = Atomic(false)

    func hold(after count: Int) { passes.store(count, ordering: .sequentiallyConsistent) }

    func open() { isOpen.store(true, ordering: .sequentiallyConsistent) }

    func pass() {
      if passes.load(ordering: .sequentiallyConsistent) < 0 { return }
      guard passes.subtract(1, ordering: .sequentiallyConsistent).newValue == -1 else { return }
      holds.store(true, ordering: .sequentiallyConsistent)
      // On a thread of its own, which nobody else needs.
      while !isOpen.load(ordering: .sequentiallyConsistent) {}
    }
  }

  @Test("keeps to itself nothing that others find out: a phase whose last session ends then has its turn")
  func emptied() async throws {
    let (clock, gate) = (ManualClock(), HoldingGate())
    let lifecycle = Lifecycle("shop", logger: Logger(label: "test") { _ in HoldingHandler(gate: gate) })
    let handed = Mutex<Phase?>(nil)
    for name in ["mail", "web"] {
      lifecycle.phase(name) { phase in
        if name == "web" { handed.withLock { $0 = phase } }
        phase.ready()
        clock.recorder.record("\(name) ready")
        await phase.turnToStop()
        clock.recorder.record("\(name) turn")
      }
    }
    let run = Task { await lifecycle.run(in: clock) }
    await clock.recorder.wait(for: "web ready")
    await clock.recorder.wait(for: "mail ready")
    let web = try #require(handed.withLock { $0 })
    let session = try web.beginSession()
    // The request itself, that web drains, and then that mail does: there it is held up.
    gate.hold(after: 2)
    clock.perform { lifecycle.requestStop() }
    await eventually { gate.holds.load(ordering: .sequentiallyConsistent) }
    session.end()
    await clock.recorder.wait(for: "web turn")
    #expect(!clock.recorder.events.contains("mail turn"))
    gate.open()
    #expect(await run.value.exitCode == 0)
  }

  private func eventually(_ condition: () -> Bool) async {
    while !condition() { await Task.yield() }
  }

  @Test("Ten thousand gates that it finds empty itself are told of together, and each phase has its turn once")
  func many() async {
    let clock = ManualClock()
    let turns = Count()
    let lifecycle = Lifecycle("shop")
    lifecycle.phase("root") { phase in
      phase.ready()
      await withDiscardingTaskGroup { group in
        for _ in 0..<10_000 {
          group.addTask {
            try? await phase.withPhase("child") { child in
              clock.recorder.record("open")
              await child.turnToStop()
              turns.add()
            }
          }
        }
      }
    }
    let run = Task { await lifecycle.run(in: clock) }
    await clock.recorder.wait(for: "open", times: 10_000)
    lifecycle.requestStop()
    let report = await run.value
    #expect(report.exitCode == 0)
    #expect(report.childrenOpened == 10_000)
    #expect(turns.value == 10_000)
    #expect(report.ignored.isEmpty)
  }

  private final class Count: Sendable {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .relaxed) }

    func add() { count.add(1, ordering: .relaxed) }
  }
}
