import GracefulShutdown
import GracefulTesting
import SchemaChecking
import Synchronization
import Testing

@testable import Graceful

/// The driver of the lame-duck time, by a clock that the test moves.
@Suite("T5: A lame-duck time", .timeLimit(.minutes(1)))
struct LameDuckTests {
  private let shop: Lifecycle
  private let clock: ManualClock
  private let web: PhaseBox

  /// What a test needs of a phase that runs.
  private final class PhaseBox: Sendable {
    let phase: AsyncStream<Phase>
    private let found: AsyncStream<Phase>.Continuation

    init() { (phase, found) = AsyncStream.makeStream() }

    func put(_ phase: Phase) { found.yield(phase) }
  }

  init() {
    clock = ManualClock()
    shop = Lifecycle(
      "shop", grace: .seconds(20), lameDuck: .atMost(.seconds(5), minimum: .seconds(3), quiet: .seconds(1)),
      logger: .silent)
    let box = PhaseBox()
    web = box
    shop.phase("web") { [clock] phase in
      phase.ready()
      box.put(phase)
      clock.recorder.record("ready")
      await phase.turnToStop()
      clock.recorder.record("turn")
    }
  }

  private func started() async throws -> (Task<LifecycleReport, Never>, Phase) {
    let (shop, clock) = (shop, clock)
    let run = Task { await shop.run(on: clock) }
    await clock.recorder.wait(for: "ready")
    let phase = await web.phase.first { _ in true }
    return (run, try #require(phase))
  }

  @Test("serves on, says how long, and ends when it is over; every session is let in until then")
  func limit() async throws {
    let (run, phase) = try await started()
    var events = shop.events.makeAsyncIterator()
    shop.requestStop(StopRequest(source: .signal(15)))
    #expect(await events.next()?.kind == .stopRequested)
    #expect(await events.next()?.kind == .lameDuckBegan)
    #expect(shop.snapshot().state == .stopping)
    #expect(shop.snapshot().lameDuckLeft == .seconds(5))
    #expect(shop.snapshot().phases.map(\.state) == [.ready])
    #expect(phase.isStopRequested)
    #expect(try SchemaChecker("lifecycle-snapshot-1").problems(inText: shop.snapshot().json()) == [])
    #expect(shop.snapshot().json().contains("\"lameDuckLeft\" : 5,"))
    #expect(StopAnswer(shop.snapshot()).state == .accepted)
    #expect(StopAnswer(shop.snapshot()).lameDuckLeft == .seconds(5))
    for _ in 0..<49 {
      clock.advance(by: .milliseconds(100))
      try phase.beginSession().end()
    }
    #expect(shop.snapshot().lameDuckLeft == .milliseconds(100))
    clock.advance(by: .milliseconds(100))
    let ended = await events.next()
    #expect(ended?.lameDuck == LameDuck.Report(took: .seconds(5), end: .limit, limit: .seconds(5)))
    #expect(ended?.description == "lame duck ended after 5.000 s: its time was over")
    #expect(throws: PhaseError.self) { _ = try phase.beginSession() }
    let report = await run.value
    #expect(report.lameDuck?.took == .seconds(5))
    #expect(report.took == .seconds(5))
    #expect(report.exitCode == 0)
    #expect(report.text.contains("  served on as a lame duck for 5.000 s of 5.000 s: its time was over\n"))
    #expect(shop.snapshot().lameDuckLeft == nil)
  }

  @Test("Trap 27: ends early once no session came for a while, but not before its minimum")
  func quiet() async throws {
    let (run, phase) = try await started()
    shop.requestStop()
    clock.advance(by: .milliseconds(2900))
    try phase.beginSession().end()
    clock.advance(by: .milliseconds(1000))
    #expect(!clock.recorder.events.contains("turn"), "it was not quiet for a second")
    clock.advance(by: .milliseconds(300))
    let report = await run.value
    #expect(report.lameDuck?.end == .quiet)
    let took = report.lameDuck?.took ?? .zero
    #expect(took >= .milliseconds(3900) && took <= .milliseconds(4150), "\(took)")
  }

  @Test("goes on while something else comes that is counted")
  func arrivals() async throws {
    let (run, phase) = try await started()
    let count = RunCounter()
    phase.countArrivals { count.next() }
    shop.requestStop()
    while clock.advanceToNext() {}
    #expect(await run.value.lameDuck?.end == .limit)
  }

  @Test("ends at its minimum when nobody comes at all")
  func minimum() async throws {
    let (run, _) = try await started()
    shop.requestStop()
    clock.advance(by: .milliseconds(2999))
    #expect(!clock.recorder.events.contains("turn"))
    clock.advance(by: .milliseconds(1))
    #expect(await run.value.lameDuck == LameDuck.Report(took: .seconds(3), end: .quiet, limit: .seconds(5)))
  }

  @Test("ends at once with a second signal")
  func urgent() async throws {
    let (run, _) = try await started()
    for _ in 0..<2 { shop.requestStop(StopRequest(source: .signal(15))) }
    while clock.advanceToNext() {}
    let report = await run.value
    #expect(report.lameDuck?.took == .zero)
    #expect(report.lameDuck?.end == .urgent)
  }

  @Test("is read back from the report's JSON, and an older report without one is still read")
  func json() async throws {
    let (run, _) = try await started()
    shop.requestStop()
    while clock.advanceToNext() {}
    let report = await run.value
    #expect(try LifecycleReport(json: report.json()) == report)
    var lines = report.json().split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let first = try #require(lines.firstIndex { $0.contains("\"lameDuck\"") })
    lines.removeSubrange(first...(first + 4))
    var older = report
    older.lameDuck = nil
    #expect(try LifecycleReport(json: lines.joined(separator: "\n")) == older)
  }

  @Test("The plan says so, in text, JSON and picture, and reads it back")
  func plan() throws {
    let shop = Lifecycle("shop", grace: .seconds(25), lameDuck: .atMost(.seconds(6)), logger: .silent)
    let database = shop.phase("database", limit: .seconds(4)) { _ in }
    shop.phase("web", requires: database, limit: .seconds(5)) { _ in }
    let plan = shop.plan(with: OutsideSettings())
    #expect(plan.phases.map(\.drainsAfter) == [.seconds(14), .seconds(6)])
    let words = plan.text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(
      words.contains("served on as a lame duck: for 6.000 s at most, and 3.000 s at least (from the program)"),
      "\(plan.text)")
    #expect(try StopPlan(json: plan.json()) == plan)
    #expect(plan.svg().contains("lame duck ends"))
    #expect(plan.svg().contains("class=\"lameDuck"), "its bars have a look of their own")
  }

  @Test("is what the schema says, whyever it ended", arguments: LameDuck.End.Kind.allCases)
  func schema(end: LameDuck.End.Kind) throws {
    var report = ReportValues.report()
    report.lameDuck = LameDuck.Report(took: .seconds(1), end: LameDuck.End(kind: end), limit: .seconds(5))
    #expect(try SchemaChecker("lifecycle-report-1").problems(inText: report.json()) == [])
    #expect(try LifecycleReport(json: report.json()) == report)
  }
}

/// One more at each look.
private final class RunCounter: Sendable {
  private let count = Mutex(0)

  func next() -> Int {
    count.withLock { count in
      count += 1
      return count
    }
  }
}
