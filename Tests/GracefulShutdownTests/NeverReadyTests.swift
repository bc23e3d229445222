import GracefulShutdown
import GracefulTesting
import TestHost
import Testing

/// S17: Readiness that never comes is no silence, and no clean end.
@Suite("S17: A phase that is never ready", .timeLimit(.minutes(1)))
struct NeverReadyTests {
  private typealias Table = StateMachineTests

  private static func starting(_ startLimit: Duration? = nil) -> QuietMachine {
    var machine = Table.machine([.init("database", startLimit: startLimit), .init("web", requires: ["database"])])
    _ = machine.receive(.run, at: Table.at(0))
    return machine
  }

  private static func end(_ machine: QuietMachine, _ stop: Double) throws -> LifecycleReport {
    var machine = machine
    _ = machine.receive(.stop(Table.terminate), at: Table.at(stop))
    return try #require(Table.report(machine.receive(.ended(0, .returned), at: Table.at(stop + 1))))
  }

  @Test("has failed, when the stop comes after it was overdue; during its start it is a stop like any other")
  func overdue() throws {
    let late = try Self.end(Self.starting(), 3600)
    #expect(late.exitCode == 1)
    #expect(late.phases.map(\.end) == [.failed("not ready in the 60 min 0 s until the stop"), .neverStarted])
    #expect(late.text.contains("exit 1: failed: database"))
    #expect(try Self.end(Self.starting(), 9.9).exitCode == 0)
    #expect(try Self.end(Self.starting(), 10).exitCode == 1)
  }

  @Test("is not overdue within its start limit")
  func startLimit() throws {
    #expect(try Self.end(Self.starting(.seconds(60)), 59).exitCode == 0)
  }

  @Test("is not meant where it was stopped alone before")
  func stoppedAlone() throws {
    var machine = Self.starting()
    _ = machine.receive(.stopPhase(0, .drain), at: Table.at(1))
    let report = try #require(Table.report(machine.receive(.ended(0, .returned), at: Table.at(20))))
    #expect(report.exitCode == 0)
  }

  @Test("and fails again and again until the stop, has failed")
  func crashLoop() throws {
    var machine = Table.machine([.init("database", restart: .onFailure())])
    _ = machine.receive(.run, at: Table.at(0))
    for second in 1...5 {
      _ = machine.receive(.ended(0, .threw("refused")), at: Table.at(Double(second) * 4))
      if second < 5 { _ = machine.receive(.wake, at: Table.at(Double(second) * 4 + 3)) }
    }
    let report = try #require(Table.report(machine.receive(.stop(Table.terminate), at: Table.at(21))))
    #expect(report.exitCode == 1)
    #expect(report.phases[0].end.error == "not ready in the 21.0 s until the stop")
  }

  @Test("because it returned at once, has failed when another phase waits for it; alone it ends well, with a hint")
  func returned() throws {
    var machine = Self.starting()
    let report = try #require(Table.report(machine.receive(.ended(0, .returned), at: Table.at(0.002))))
    #expect(report.exitCode == 1)
    #expect(report.phases[0].end.error == "it returned before it was ready, and web could never start")
    let text = report.text.filter { !$0.isWhitespace }
    #expect(text.contains("`restart:.once`") && text.contains("`phase.turnToStop()`"), "\(report.text)")

    var alone = Table.machine([.init("job")])
    _ = alone.receive(.run, at: Table.at(0))
    let job = try #require(Table.report(alone.receive(.ended(0, .returned), at: Table.at(0.002))))
    #expect(job.exitCode == 0)
    #expect(job.text.contains("phase job returned after 0.002 s, and that stops the whole"), "\(job.text)")
  }

  @Test("A phase that was ready and ran for a while may return without a hint")
  func noHint() throws {
    var machine = Table.running(Table.machine([.init("job")]))
    let report = try #require(Table.report(machine.receive(.ended(0, .returned), at: Table.at(5))))
    #expect(!report.text.contains(".once"))
    var once = Table.machine([.init("job", restart: .once)])
    _ = once.receive(.run, at: Table.at(0))
    let done = try #require(Table.report(once.receive(.ended(0, .returned), at: Table.at(0.001))))
    #expect(!done.text.contains(".once"))
  }

  @Test("within its start limit is named so, not as late in a stop")
  func words() throws {
    var machine = Self.starting(.seconds(5))
    _ = machine.receive(.wake, at: Table.at(5))
    let report = try #require(Table.report(machine.receive(.ended(0, .returned), at: Table.at(5.1))))
    #expect(report.exitCode == 124)
    #expect(report.text.contains("exit 124: not ready within the start limit: database\n"), "\(report.text)")
    #expect(!report.text.contains("not ended in time"))
  }

  @Test("is warned about after 10 s, and again after 20 and 40: by name, with what waits for it")
  func warned() async throws {
    let (clock, log) = (ManualClock(), CollectedLog())
    let shop = Lifecycle("shop", logger: log.logger)
    let database = shop.phase("database") { phase in
      clock.recorder.record("database: started")
      await phase.turnToStop()
    }
    shop.phase("web", requires: database, script: .obedient, on: clock)
    shop.phase("mail", script: .obedient, on: clock)
    let run = Task { await shop.run(on: clock) }
    await clock.recorder.wait(for: "database: started")
    await clock.recorder.wait(for: "mail: ready")
    func warnings() -> [String] { log.lines.filter { $0.contains("not ready yet") } }
    clock.advance(by: .milliseconds(9999))
    #expect(warnings().isEmpty)
    clock.advance(by: .milliseconds(1))
    try await poll { warnings().count == 1 }
    #expect(
      warnings() == [
        "warning not ready yet: database has not said that it is ready, after 10.0 s; 1 phase cannot start before"
          + " lifecycle.name=shop phases.awaited=database phases.behind=web"
      ])
    clock.advance(by: .seconds(10))
    try await poll { warnings().count == 2 }
    clock.advance(by: .seconds(19))
    clock.advance(by: .seconds(1))
    try await poll { warnings().count == 3 }
    #expect(warnings().last?.contains("after 40.0 s") == true)
    shop.requestStop()
    clock.advance(by: .seconds(1))
    let report = await run.value
    #expect(report.exitCode == 1)
    #expect(warnings().count == 3)
  }

  @Test("A body that returns at once is hinted at in the log, too")
  func hint() async throws {
    let (clock, log) = (ManualClock(), CollectedLog())
    let shop = Lifecycle("shop", logger: log.logger)
    shop.phase("job") { phase in phase.ready() }
    #expect(await shop.run(on: clock).exitCode == 0)
    #expect(log.lines.contains { $0.hasPrefix("warning phase job returned after 0.000 s") }, "\(log.lines)")
    #expect(log.lines.contains { $0.hasPrefix("notice stop requested") && $0.contains("job, which ended by itself") })
  }
}

/// When to look, and what is overdue.
@Suite("What watches the readiness")
struct ReadinessWatchTests {
  private static func at(_ seconds: Double) -> MonotonicInstant { StateMachineTests.at(seconds) }

  @Test("looks once for each instant, and not again when all are ready")
  func looks() {
    var watch = ReadinessWatch()
    for id in 0..<3 { watch.note(.start, on: id, at: Self.at(Double(id))) }
    #expect(watch.takeNextLook() == Self.at(10))
    #expect(watch.takeNextLook() == nil)
    watch.note(.ready, on: 0, at: Self.at(3))
    #expect(watch.look(at: Self.at(10)).isEmpty)
    #expect(watch.takeNextLook() == Self.at(11))
    #expect(watch.look(at: Self.at(11)).map(\.phase) == [1])
    #expect(watch.takeNextLook() == Self.at(12))
    watch.note(.hear(deadline: Self.at(20)), on: 1, at: Self.at(11.5))
    watch.note(.ready, on: 2, at: Self.at(11.5))
    #expect(watch.look(at: Self.at(12)).isEmpty)
    #expect(watch.takeNextLook() == nil)
  }

  @Test("says of a phase that it has come back, and for how long it has not been ready, all restarts together")
  func restarts() {
    var watch = ReadinessWatch()
    watch.note(.start, on: 0, at: Self.at(0))
    watch.note(.restart(reason: "x", after: .seconds(1)), on: 0, at: Self.at(9))
    #expect(watch.look(at: Self.at(10)) == [.init(phase: 0, waited: .seconds(10), hasComeBack: true)])
    watch.note(.start, on: 0, at: Self.at(11))
    #expect(watch.look(at: Self.at(20)) == [.init(phase: 0, waited: .seconds(20), hasComeBack: false)])
  }

  @Test("is never silent for more than ten minutes")
  func longest() {
    var watch = ReadinessWatch()
    watch.note(.start, on: 0, at: Self.at(0))
    var (now, count) = (Self.at(0), 0)
    while let next = watch.takeNextLook(), count < 20 {
      #expect(next - now <= .seconds(600))
      now = next
      #expect(watch.look(at: now).count == 1)
      count += 1
    }
    #expect(count == 20)
  }
}
