import CGracefulSystem
import Graceful
import TestHost
import Testing

/// The live environment, in this very process.
@Suite("A lifecycle on the live clock", .exclusive(.signals), .serialized, .timeLimit(.minutes(1)))
struct RunTests {
  @Test("stops on a signal that is raised to this process, and the report names it")
  func signal() async {
    let shop = Lifecycle("shop", grace: .seconds(20))
    shop.phase("web") { phase in
      phase.ready()
      _ = cgs_kill(cgs_process_id(), Signal.hangup.rawValue)
      await phase.turnToStop()
    }
    let report = await shop.run(on: .signals([.hangup]))
    #expect(report.request == StopRequest(source: .signal(Signal.hangup.rawValue)))
    #expect(report.exitCode == 0)
  }

  @Test("cancels what does not drain within its limit, in real time")
  func limit() async {
    let shop = Lifecycle("shop", grace: .seconds(30))
    shop.phase("web", limit: .milliseconds(50)) { phase in
      phase.ready()
      await phase.turnToStop()
      // Ends when it is cancelled.
      for await _ in AsyncStream<Never>.makeStream().stream {}
    }
    shop.requestStop(StopRequest(why: "too early"))
    #expect(await shop.run().phases.map(\.end) == [.neverStarted])

    let (cancelled, cancelling) = AsyncStream.makeStream(of: Void.self)
    let other = Lifecycle("other", grace: .seconds(30))
    other.phase("web", limit: .milliseconds(50)) { phase in
      other.requestStop()
      await phase.turnToStop()
      for await _ in AsyncStream<Never>.makeStream().stream {}
      cancelling.finish()
    }
    let report = await other.run()
    for await _ in cancelled {}
    // How soon the pool lets it come back is open.
    #expect([[.cancelled], [.abandoned]].contains(report.phases.map(\.end)))
    #expect(report.phases[0].drainedFor.map { $0 >= .milliseconds(50) } == true)
  }

  @Test("A trigger that cannot listen is a mistake of the configuration: nothing starts, exit 78")
  func refusedTrigger() async throws {
    let kill = try #require(Signal(name: "KILL"))
    let shop = Lifecycle("shop")
    shop.phase("web") { _ in Issue.record("it started") }
    let report = await shop.run(on: .signals([kill]))
    #expect(report.exitCode == 78)
    #expect(
      report.mistakes.map(\.description) == [
        "trigger SIGKILL: cannot listen for SIGKILL: it never reaches a program; listen for SIGTERM"
      ])
  }

  @Test("A trigger of one's own asks, and is left when the run is over")
  func ownTrigger() async {
    let (left, leaving) = AsyncStream.makeStream(of: Void.self)
    let trigger = Trigger("at once") { ask throws(TriggerError) in
      ask(StopRequest(why: "own"))
      return { leaving.finish() }
    }
    let shop = Lifecycle("shop")
    shop.phase("web") { _ in Issue.record("it started") }
    #expect(await shop.run(on: trigger).request?.why == "own")
    for await _ in left {}
  }
}
