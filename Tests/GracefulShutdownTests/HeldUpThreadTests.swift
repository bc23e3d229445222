import GracefulShutdown
import GracefulTesting
import Logging
import Synchronization
import Testing

/// A thread that is at what was decided may be held up in code of the user.
@Suite("A thread that is held up while it does what was decided", .timeLimit(.minutes(1)))
struct HeldUpThreadTests {
  /// Its level is asked for before each entry, by the thread that logs: there it holds that thread up.
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
      // On a thread of its own, which nothing else needs.
      while !isOpen.load(ordering: .sequentiallyConsistent) {}
    }
  }

  @Test("by a log handler that blocks when it is asked for its level, does not exist: it is asked once, before the run")
  func level() async throws {
    let (clock, gate) = (ManualClock(), HoldingGate())
    let lifecycle = Lifecycle("shop", logger: Logger(label: "test") { _ in HoldingHandler(gate: gate) })
    for name in ["mail", "web"] { lifecycle.phase(name, script: .obedient, on: clock) }
    let run = Task { await lifecycle.run(in: clock) }
    await clock.recorder.wait(for: "web: ready")
    await clock.recorder.wait(for: "mail: ready")
    gate.hold(after: 0)
    lifecycle.requestStop()
    await clock.recorder.wait(for: "web: turn")
    await clock.recorder.wait(for: "mail: turn")
    #expect(await run.value.exitCode == 0)
    let wasHeld = gate.holds.load(ordering: .sequentiallyConsistent)
    #expect(!wasHeld)
    gate.open()
  }

  @Test("S9: for ever, does not keep the process: it ends at its deadline, and the report names what did not end")
  func deadline() async {
    let clock = HeldDecisionsClock()
    let lifecycle = Lifecycle("shop", grace: .seconds(20))
    lifecycle.phase("web", script: .obedient, on: clock.manual)
    let run = Task { await lifecycle.run(in: clock, exiting: true) }
    await clock.manual.recorder.wait(for: "web: ready")
    clock.hold()
    let start = clock.manual.time
    lifecycle.requestStop()
    clock.manual.advance(by: .milliseconds(19_999))
    #expect(clock.manual.exits.isEmpty)
    clock.manual.advance(by: .milliseconds(1))
    // At an instant that has come already, the manual clock calls from another thread.
    await clock.manual.recorder.wait(for: "exit 124")
    #expect(clock.manual.exits == [.init(code: 124, atOnce: true)])
    #expect(clock.manual.time - start == .seconds(20))
    #expect(clock.manual.reports.first?.contains("web") == true)
    // Here the process has not ended, and the thread goes on.
    clock.goOn()
    #expect(await run.value.stragglers.map(\.phase) == ["web"])
  }

  @Test("makes no event late for the observers: each has the instant at which it was decided")
  func instants() async {
    let clock = HeldDecisionsClock()
    let lifecycle = Lifecycle("shop", grace: .seconds(20))
    let observer = InstantObserver(since: clock.manual.time)
    #expect(lifecycle.add(observer) == .admitted)
    lifecycle.phase("web", script: .obedient, on: clock.manual)
    let run = Task { await lifecycle.run(in: clock) }
    await clock.manual.recorder.wait(for: "web: ready")
    clock.manual.advance(by: .seconds(1))
    clock.hold()
    lifecycle.requestStop()
    clock.manual.advance(by: .seconds(3))
    clock.goOn()
    _ = await run.value
    #expect(observer.seen.withLock { $0["stop requested"] } == .seconds(1))
    #expect(observer.seen.withLock { $0["draining"] } == .seconds(1))
    #expect(observer.seen.withLock { $0["ended"] } == .seconds(4))
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

/// When it was told that the events had happened.
private final class InstantObserver: LifecycleObserver {
  let purpose = "instants"
  let lastPhase: String? = nil
  let isSettled = true
  let seen = Mutex<[String: Duration]>([:])
  private let begin: ContinuousClock.Instant

  init(since begin: ContinuousClock.Instant) { self.begin = begin }

  func begin(_ phases: [String], in environment: any LifecycleEnvironment, at instant: ContinuousClock.Instant) {}
  func whenSettled(_ body: @escaping @Sendable () -> Void) { body() }
  func observe(_ event: LifecycleEvent, at instant: ContinuousClock.Instant) {
    seen.withLock { $0["\(event.kind)"] = instant - begin }
  }
}
