import CThreadSanitizer
import Graceful
import GracefulTesting
import Logging
import SchemaChecking
import Synchronization
import Testing

@Suite("A snapshot (S13)", .timeLimit(.minutes(3)))
struct SnapshotTests {
  private let clock = ManualClock()
  private let shop = Lifecycle("shop", grace: .seconds(20), logger: .silent)

  private func checked(_ snapshot: LifecycleSnapshot) throws -> LifecycleSnapshot {
    #expect(try SchemaChecker("lifecycle-snapshot-1").problems(inText: snapshot.json()) == [])
    #expect(try LifecycleSnapshot(json: snapshot.json()) == snapshot)
    return snapshot
  }

  @Test("with one of everything in it comes back as it was")
  func everything() throws {
    var snapshot = try checked(shop.snapshot())
    snapshot.state = .stopping
    snapshot.running = .nanoseconds(123_456_789_012_345_678)
    snapshot.request = StopRequest(source: .successor(4711), why: "é\n", urgency: .cancelNow)
    (snapshot.left, snapshot.lameDuckLeft) = (.nanoseconds(-1), .zero)
    for end in ReportValues.ends {
      let id = snapshot.phases.count
      snapshot.phases.append(try #require(Lifecycle.onePhase.snapshot().phases.first))
      snapshot.phases[id].parent = "web"
      snapshot.phases[id].state = .ended
      snapshot.phases[id].end = end
      (snapshot.phases[id].age, snapshot.phases[id].left) = (.seconds(7), .milliseconds(-7))
      (snapshot.phases[id].isWaiting, snapshot.phases[id].restarts, snapshot.phases[id].children) = (true, 1, 2)
      (snapshot.phases[id].sessionsLive, snapshot.phases[id].sessionsAdmitted) = (3, 40)
      (snapshot.phases[id].sessionsRefused, snapshot.phases[id].sessionsFailed) = (5, 6)
      snapshot.phases[id].sessionsCancelled = 7
    }
    _ = try checked(snapshot)
  }

  @Test("of a later version is read, with states and ways to end that are not known here")
  func later() throws {
    var snapshot = try #require(Optional(Lifecycle.onePhase.snapshot()))
    snapshot.phases[0].end = .drained
    snapshot.request = StopRequest(source: .signal(15), why: "a deploy")
    let json = snapshot.json().replacing("\"urgency\" : \"drain\"", with: "\"urgency\" : \"gently\"")
      .replacing("\"waiting\"", with: "\"dreaming\"").replacing("\"drained\"", with: "\"gone\"")
      .replacing("\"grace\" :", with: "\"colour\" : [ null ], \"grace\" :")
    let read = try LifecycleSnapshot(json: json)
    #expect(read.request == snapshot.request, "how urgent it is has no say in whether it is shown")
    #expect(read.phases[0].state.description == "dreaming" && read.phases[0].end == nil)
    #expect(throws: ReportFormatError.self) { try LifecycleSnapshot(json: json.replacing(": 1,", with: ": 2,")) }
    // Older ones had no lame-duck time.
    #expect(try LifecycleSnapshot(json: json.replacing("lameDuckLeft", with: "x")).lameDuckLeft == nil)
  }

  @Test("before the run shows what was declared")
  func declared() throws {
    shop.phase("web\n\u{1B}") { _ in }
    let snapshot = try checked(shop.snapshot())
    #expect(snapshot.state == .declared)
    #expect(snapshot.phases.map(\.state) == [.waiting])
    #expect(snapshot.running == nil && snapshot.left == nil)
    #expect(try checked(Lifecycle("empty").snapshot()).phases.isEmpty)
  }

  @Test("while it starts shows who is ready, who is not, and who waits")
  func starting() async throws {
    let database = shop.phase("database", script: .obedient, on: clock)
    let queue = shop.phase("queue", requires: [database], startLimit: .seconds(7)) { [clock] phase in
      clock.recorder.record("queue: starts")
      await phase.turnToStop()
    }
    shop.phase("web", requires: queue, script: .obedient, on: clock)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "queue: starts")
    clock.advance(by: .seconds(3))
    let snapshot = try checked(shop.snapshot())
    #expect(snapshot.state == .starting)
    #expect(snapshot.phases.map(\.state) == [.ready, .starting, .waiting])
    #expect(snapshot.phases.map(\.age) == [.seconds(3), .seconds(3), nil])
    #expect(snapshot.phases.map(\.left) == [nil, .seconds(4), nil])
    #expect(snapshot.running == .seconds(3))
    shop.requestStop()
    _ = await report
  }

  @Test("while it drains shows who asked, how long is left, and the oldest of the sessions with their names")
  func draining() async throws {
    let clock = clock
    let database = shop.phase("database", script: .obedient, on: clock)
    shop.phase("web", requires: database, limit: .seconds(5)) { phase in
      phase.ready()
      var sessions: [SharedSession] = []
      for number in 0..<12 {
        sessions.append(try phase.beginSession("session \(number)").shared())
        clock.advance(by: .seconds(1))
      }
      sessions.append(try phase.beginSession().shared())
      await clock.recorder.wait(for: "database: ready")
      clock.recorder.record("web: busy")
      try await withPhase("import") { child in
        clock.recorder.record("import: open")
        await child.drainRequested()
        clock.recorder.record("import: told")
        await clock.recorder.wait(for: "seen")
      }
      #expect(throws: PhaseError.self) { try phase.beginSession().end() }
      for session in sessions { session.end() }
    }
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: busy")
    await clock.recorder.wait(for: "import: open")
    #expect(try checked(shop.snapshot()).state == .running)
    shop.requestStop(StopRequest(source: .signal(15), why: "deploy"))
    await clock.recorder.wait(for: "import: told")
    clock.advance(by: .seconds(2))

    let snapshot = try checked(shop.snapshot())
    #expect(snapshot.state == .stopping)
    #expect(snapshot.request?.why == "deploy")
    #expect(snapshot.left == .seconds(18))
    #expect(snapshot.phases.map(\.name) == ["database", "web", "web/import"])
    #expect(snapshot.phases.map(\.parent) == [nil, nil, "web"])
    #expect(snapshot.phases.map(\.state) == [.ready, .draining, .draining])
    let web = snapshot.phases[1]
    #expect(web.left == .seconds(3))
    #expect(web.sessionsLive == 13 && web.sessionsAdmitted == 13 && web.children == 1)
    #expect(web.oldestSessions.map(\.name) == (0..<10).map { "session \($0)" })
    #expect(web.oldestSessions.first?.age == .seconds(14))

    clock.recorder.record("seen")
    #expect(await report.exitCode == 0)
    let end = try checked(shop.snapshot())
    #expect(end.state == .finished)
    #expect(end.left == nil && end.request?.why == "deploy")
    #expect(end.phases.map(\.end) == [.drained, .drained])
    #expect(end.phases[1].sessionsLive == 0 && end.phases[1].sessionsRefused == 1)
  }

  @Test("of a wrong configuration is finished, and valid all the same")
  func configuration() async throws {
    let broken = Lifecycle("broken", grace: .seconds(-1), logger: .silent)
    broken.phase("a") { _ in }
    _ = await broken.run(on: clock)
    #expect(try checked(broken.snapshot()).state == .finished)
  }

  @Test("from any thread at any time: it never goes back, and is always whole")
  func anyThread() async throws {
    let order = ["declared", "starting", "running", "stopping", "finished"]
    // The thread sanitizer sees in a few rounds what there is to see.
    for _ in 0..<(cts_is_watching() ? 3 : 8) {
      let shop = Lifecycle("shop", grace: .seconds(20), logger: .silent)
      let clock = ManualClock()
      var below = shop.phase("phase 0", script: .obedient, on: clock)
      for number in 1..<12 { below = shop.phase("phase \(number)", requires: below, script: .obedient, on: clock) }
      shop.phase("web", requires: below) { phase in
        phase.ready()
        await withTaskGroup(of: Void.self) { group in
          for number in 0..<8 {
            group.addTask {
              for _ in 0..<50 where !phase.isStopRequested {
                try? await phase.withSession("session \(number)") { await Task.yield() }
                try? await phase.withPhase("child") { _ in await Task.yield() }
              }
            }
          }
        }
        shop.requestStop()
        await phase.turnToStop()
      }
      let readers = (0..<2).map { _ in
        Task.detached { () -> (taken: Int, problems: [String]) in
          var (taken, last, problems) = (0, 0, [String]())
          while last < 4 {
            let snapshot = shop.snapshot()
            let state = order.firstIndex(of: snapshot.state.description) ?? -1
            if state < last { problems.append("from \(order[last]) back to \(snapshot.state)") }
            last = max(last, state)
            taken += 1
            if snapshot.phases.count < 13 { problems.append("\(snapshot.phases.count) phases") }
            if snapshot.phases.contains(where: { $0.sessionsLive < 0 }) {
              problems.append("\(snapshot.phases.map(\.sessionsLive)) live")
            }
            if taken % 16 == 0 {
              problems += (try? SchemaChecker("lifecycle-snapshot-1").problems(inText: snapshot.json())) ?? ["unread"]
            }
            await Task.yield()
          }
          return (taken, problems)
        }
      }
      let report = await shop.run(on: clock)
      for reader in readers {
        let read = await reader.value
        #expect(read.problems == [])
      }
      #expect(report.exitCode == 0)
    }
  }
}

extension Lifecycle {
  fileprivate static var onePhase: Lifecycle {
    let lifecycle = Lifecycle("one", logger: .silent)
    lifecycle.phase("web") { _ in }
    return lifecycle
  }
}
