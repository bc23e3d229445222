import GracefulShutdown
import GracefulTesting
import Logging
import Testing

/// What is wrong in how a lifecycle is written down: each has one answer, and none is a trap.
@Suite("A lifecycle that is written down wrongly", .timeLimit(.minutes(1)))
struct MistakeTests {
  private let clock = ManualClock()

  private func mistakes(grace: Duration = .seconds(20), _ declare: (Lifecycle) -> Void) async -> [String] {
    let shop = Lifecycle("shop", grace: grace, logger: .silent)
    declare(shop)
    let report = await shop.run(on: clock)
    #expect(clock.recorder.events.isEmpty, "nothing starts")
    #expect(report.exitCode == (report.mistakes.isEmpty ? 0 : 78))
    #expect(report.phases.allSatisfy { $0.end == .neverStarted })
    return report.mistakes.map(\.description)
  }

  @Test("Two phases of one name, whoever requires it")
  func duplicate() async {
    let found = await mistakes { shop in
      for _ in 0..<3 { shop.phase("web", script: .obedient, on: clock) }
      shop.phase("proxy", requires: "web", script: .obedient, on: clock)
    }
    #expect(found == Array(repeating: "two phases are called \"web\"; give each a name of its own", count: 2))
  }

  @Test("A phase that requires itself, and one that requires what does not exist")
  func requirements() async {
    let found = await mistakes { shop in
      shop.phase("web", requires: "web", script: .obedient, on: clock)
      shop.phase("queue", requires: ["databse", ""], script: .obedient, on: clock)
    }
    #expect(found.count == 3)
    #expect(found.contains { $0.contains("phases require each other in a circle: web → web") })
    #expect(found.contains { $0.contains("\"queue\" requires \"databse\"") })
    #expect(found.contains { $0.contains("\"queue\" requires \"\"") })
  }

  @Test("A circle, with its path and without those that only lead to it")
  func circle() async {
    let found = await mistakes { shop in
      shop.phase("a", requires: "c", script: .obedient, on: clock)
      shop.phase("b", requires: "a", script: .obedient, on: clock)
      shop.phase("c", requires: "b", script: .obedient, on: clock)
      shop.phase("outside", requires: "a", script: .obedient, on: clock)
      shop.phase("below", script: .obedient, on: clock)
    }
    #expect(found == ["phases require each other in a circle: a → c → b → a; take one requirement away"])
  }

  @Test("A circle of ten thousand: found without recursion")
  func longCircle() {
    let count = 10_000
    let graph = PhaseGraph((0..<count).map { .init("\($0)", requires: ["\(($0 + 1) % count)"]) })
    #expect(graph.mistakes.count == 1)
  }

  @Test("Limits and start limits of zero and less", arguments: [Duration.zero, .seconds(-1), .seconds(Int64.min)])
  func limits(limit: Duration) async {
    let found = await mistakes { shop in
      shop.phase("web", startLimit: limit, limit: limit, script: .obedient, on: clock)
    }
    #expect(found.count == 2)
    #expect(found.contains { $0.hasPrefix("the limit of phase \"web\" is ") })
    #expect(found.contains { $0.hasPrefix("the start limit of phase \"web\" is ") })
  }

  @Test("A grace of zero and less", arguments: [Duration.zero, .nanoseconds(-1), .seconds(Int64.min)])
  func grace(grace: Duration) async {
    let found = await mistakes(grace: grace) { shop in shop.phase("web", script: .obedient, on: clock) }
    #expect(found.count == 1)
    #expect(found.first?.hasSuffix("it must be longer than zero") == true)
  }

  @Test("An empty name of a phase; that of a lifecycle may be empty")
  func emptyName() async {
    let found = await mistakes { shop in shop.phase("", script: .obedient, on: clock) }
    #expect(found == ["a phase has an empty name; give it one by which it can be found in the report"])
    let nameless = Lifecycle("", logger: .silent)
    nameless.requestStop()
    #expect(await nameless.run(on: clock).exitCode == 0)
  }

  @Test("A name with line breaks is taken as it is, and breaks no line of the report")
  func lineBreaks() async {
    let shop = Lifecycle("sh\nop", logger: .silent)
    shop.phase("we\r\nb", limit: .seconds(1), script: .ignoresCancel, on: clock)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "we\r\nb: ready")
    shop.requestStop(StopRequest(why: "be\ncause"))
    clock.advance(by: .seconds(4))
    #expect(await report.phases[0].name == "we\r\nb")
    #expect(await report.summary.contains { $0.isNewline } == false)
    let text = await report.text
    #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 32 }, "\(text)")
    #expect(text.split(separator: "\n").contains { $0.hasPrefix("! we") && $0.contains("ABANDONED") }, "\(text)")
  }

  @Test("A limit that is longer than the grace leaves to drain is clipped, and the log warns of it at the start")
  func longLimit() async {
    let log = CollectedLog()
    let shop = Lifecycle("shop", grace: .seconds(20), logger: log.logger)
    shop.phase("fits", limit: .seconds(17), script: .obedient, on: clock)
    shop.phase("clipped", limit: .seconds(18), script: .ignoresDrain, on: clock)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "fits: ready")
    await clock.recorder.wait(for: "clipped: ready")
    let recorder = Recorder(of: shop)
    shop.requestStop()
    await recorder.wait(for: "fits: drained")
    clock.advance(by: .seconds(17))
    #expect(await report.phases.map(\.end) == [.drained, .cancelled])
    #expect(
      log.lines.filter { $0.hasPrefix("warning the limit of a phase is longer") } == [
        "warning the limit of a phase is longer than what the grace leaves to drain, and is clipped to that"
          + " lifecycle.drain=17.0 s lifecycle.name=shop phase.limit=18.0 s phase.name=clipped"
      ])
  }

  @Test("A phase that is added once it runs is not started, and the log says so")
  func tooLate() async {
    let log = CollectedLog()
    let shop = Lifecycle("shop", logger: log.logger)
    shop.phase("web") { [clock] phase in
      let handle = shop.phase("late", script: .obedient, on: clock)
      #expect(handle.name == "late")
      shop.requestStop(of: handle)
      phase.requestStop()
      await phase.turnToStop()
    }
    #expect(await shop.run(on: clock).phases.map(\.name) == ["web"])
    shop.phase("later", script: .obedient, on: clock)
    #expect(clock.recorder.events.isEmpty)
    #expect(
      log.lines.filter { $0.hasPrefix("error a phase was added after run()") }.map { $0.suffix(4) } == ["late", "ater"])
  }
}
