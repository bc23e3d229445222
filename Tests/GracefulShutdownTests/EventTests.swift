import GracefulShutdown
import GracefulTesting
import Logging
import Testing

@Suite("The events of a run (S13)", .timeLimit(.minutes(1)))
struct EventTests {
  private let clock = ManualClock()
  private let shop = Lifecycle("shop", grace: .seconds(20), logger: .silent)

  @Test("come in the order of what happened, to two readers alike, and end with the report")
  func order() async {
    let database = shop.phase("database", script: .obedient, on: clock)
    let queue = shop.phase("queue", requires: database, script: .throwsWhileDraining("full"), on: clock)
    shop.phase("web", requires: queue, limit: .seconds(5), script: .ignoresDrain, on: clock)
    let (one, other) = (shop.events, shop.events)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    shop.requestStop(StopRequest(source: .signal(15)))
    await clock.recorder.wait(for: "web: turn")
    clock.advance(by: .seconds(5))
    let expected = [
      "database: started", "database: ready", "queue: started", "queue: ready", "web: started", "web: ready",
      "stop requested: SIGTERM", "web: draining", "web: cancelled", "web: cancelled", "queue: draining",
      "queue: failed", "database: draining", "database: drained", await report.summary,
    ]
    for reader in [one, other] {
      var events: [LifecycleEvent] = []
      for await event in reader { events.append(event) }
      #expect(events.map(\.description) == expected)
      #expect(events.map(\.kind).suffix(6) == [.ended, .draining, .ended, .draining, .ended, .finished])
      #expect(events.last?.report == (await report))
      #expect(events[6].request == StopRequest(source: .signal(15)))
      #expect(events[11].end == .failed("full"))
    }
  }

  @Test("A reader that does not keep up loses the oldest, one that leaves is in nobody's way, a third sees all")
  func slowReader() async {
    // So many that what they say is more than is kept for one.
    let count = 1100
    for number in 0..<count { shop.phase("phase \(number)", script: .obedient, on: clock) }
    let (slow, fast) = (shop.events, shop.events)
    let leaving = Task { [events = shop.events] in
      for await event in events where event.kind == .ready { return event.phase }
      return nil
    }
    let reading = Task { [shop] in
      var (events, ready) = ([LifecycleEvent](), 0)
      for await event in fast {
        events.append(event)
        if event.kind == .ready { ready += 1 }
        // Not before it has read so far: it never has more to read than is kept.
        if event.kind == .ready, ready == count { shop.requestStop() }
      }
      return events
    }
    let report = await shop.run(on: clock)
    let all = await reading.value
    #expect(all.count == 4 * count + 2)
    #expect(all.last?.report == report)
    #expect(await leaving.value?.hasPrefix("phase ") == true)

    var kept: [LifecycleEvent] = []
    for await event in slow { kept.append(event) }
    #expect(kept.count == 4096)
    #expect(kept == all.suffix(4096))
  }

  @Test("Those of a child phase begin with its start, and name those that it was opened in")
  func childPhase() async {
    let clock = clock
    shop.phase("web") { [shop] phase in
      phase.ready()
      try await withPhase("import") { child in
        shop.requestStop()
        await child.turnToStop()
      }
      await phase.turnToStop()
    }
    let events = shop.events
    _ = await shop.run(on: clock)
    var ofChild: [String] = []
    for await event in events where event.phase == "web/import" { ofChild.append(event.description) }
    #expect(ofChild == ["web/import: started", "web/import: draining", "web/import: drained"])
  }

  @Test("Whoever asks after the end is told of the end, and of nothing else")
  func late() async {
    shop.phase("web", script: .obedient, on: clock)
    shop.requestStop()
    let report = await shop.run(on: clock)
    var events: [LifecycleEvent] = []
    for await event in shop.events { events.append(event) }
    #expect(events.map(\.kind) == [.finished])
    #expect(events.first?.report == report)
  }

  @Test("Whoever begins to read in the middle is told of nothing that was before")
  func fromTheMiddle() async {
    let clock = clock
    let database = shop.phase("database") { [shop] phase in
      phase.ready()
      await phase.drainRequested()
      // "web" has ended.
      let events = shop.events
      clock.recorder.record("database: reads")
      Task {
        for await event in events { clock.recorder.record("\(event.kind) \(event.phase ?? "")") }
        clock.recorder.record("read")
      }
    }
    shop.phase("web", requires: database, script: .obedient, on: clock)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    shop.requestStop()
    _ = await report
    await clock.recorder.wait(for: "read")
    let begin = clock.recorder.events.firstIndex(of: "database: reads") ?? 0
    #expect(clock.recorder.events[begin...] == ["database: reads", "ended database", "finished ", "read"])
  }

  @Test("However many threads bring the news, each phase has its events in order, and its end before the end of all")
  func manyThreads() async {
    let perPhase: [LifecycleEvent.Kind] = [.started, .ready, .draining, .ended]
    for _ in 0..<50 {
      let shop = Lifecycle("shop", grace: .seconds(20), logger: .silent)
      let clock = ManualClock()
      for number in 0..<100 {
        shop.phase("phase \(number)") { phase in
          try phase.beginSession().end()
          phase.ready()
          // Said twice is said once.
          phase.ready()
          await phase.turnToStop()
        }
      }
      let events = shop.events
      let reading = Task {
        var (byPhase, ready) = ([String: [LifecycleEvent.Kind]](), 0)
        for await event in events {
          if let phase = event.phase { byPhase[phase, default: []].append(event.kind) }
          ready += event.kind == .ready ? 1 : 0
          if event.kind == .ready, ready == 100 { shop.requestStop() }
        }
        return byPhase
      }
      let report = await shop.run(on: clock)
      let byPhase = await reading.value
      #expect(byPhase.count == 100)
      #expect(byPhase.first { $0.value != perPhase }?.value == nil)
      #expect(report.phases.allSatisfy { $0.sessions?.admitted == 1 }, "what the gates know is in the report")
    }
  }
}
