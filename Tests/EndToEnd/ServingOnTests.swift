import Foundation
import GracefulProcesses
import TestHost
import Testing

@Suite("T5: The demo as a lame duck", .sharing(.processors), .timeLimit(.minutes(3)))
struct ServingOnTests {
  private func demo(_ directory: TestDirectory, seconds: String, drainLimit: String = "10s") throws -> ToolProcess {
    try ToolProcess(
      ["demo", "--listen", "127.0.0.1:0", "--socket", directory.path("s"), "--drain-limit", drainLimit], in: directory,
      own: ["GRACEFUL_LAME_DUCK_SECONDS": seconds])
  }

  @Test("serves whoever comes after SIGTERM, on new connections too, until it is over; then it drains")
  func servesOn() async throws {
    let directory = try TestDirectory()
    let demo = try demo(directory, seconds: "2")
    let serving = try #require(await demo.serving())
    let begin = ContinuousClock.now
    demo.child.signal(SIGTERM)
    #expect(await eventually { demo.errors.contains("not ready any more; everything is still served for a while") })
    var answers = 0
    while ContinuousClock.now < begin + .milliseconds(1500) {
      guard await WireClient.answer(port: serving.port)?.contains("generation 1") == true else { break }
      answers += 1
    }
    #expect(ContinuousClock.now >= begin + .milliseconds(1500), "refused after \(answers) answers")
    #expect(await demo.end() == .exited(0), "\(demo.errors)")
    #expect(ContinuousClock.now - begin >= .seconds(2))
    #expect(demo.errors.contains("served on as a lame duck for 2."), "\(demo.errors)")
    print("\(answers) answers while it was a lame duck\n\(demo.errors)")
  }

  @Test(
    "has its full time while new connections come, and its minimum when none does", .serialized,
    arguments: [true, false])
  func quiet(isQuiet: Bool) async throws {
    let directory = try TestDirectory()
    // 3.5 s are half of what a grace of ten seconds leaves to drain.
    let demo = try demo(directory, seconds: isQuiet ? "20" : "3.5", drainLimit: isQuiet ? "1m" : "10s")
    let serving = try #require(await demo.serving())
    demo.child.signal(SIGTERM)
    #expect(await eventually { demo.errors.contains("not ready any more") })
    while !isQuiet, await WireClient.answer(port: serving.port)?.contains("generation 1") == true {}
    #expect(await demo.end() == .exited(0), "\(demo.errors)")
    #expect(demo.errors.contains(isQuiet ? "lame duck for " : "lame duck for 3.5"), "\(demo.errors)")
    #expect(demo.errors.contains(isQuiet ? ": nobody new came" : ": its time was over"), "\(demo.errors)")
  }

  @Test("ends it at once with a second SIGTERM")
  func second() async throws {
    let directory = try TestDirectory()
    let demo = try demo(directory, seconds: "8")
    _ = try #require(await demo.serving())
    let begin = ContinuousClock.now
    demo.child.signal(SIGTERM)
    #expect(await eventually { demo.errors.contains("not ready any more") })
    // Of one number, those that come within 20 ms are one.
    let heard = ContinuousClock.now
    #expect(await eventually { ContinuousClock.now - heard > .milliseconds(30) })
    demo.child.signal(SIGTERM)
    #expect(await demo.end() != nil)
    #expect(ContinuousClock.now - begin < .seconds(8))
    #expect(demo.errors.contains("the stop became urgent"), "\(demo.errors)")
  }

  @Test("has none once a successor has taken over")
  func successor() async throws {
    let directory = try TestDirectory()
    let demo = try demo(directory, seconds: "8")
    let first = try #require(await demo.serving())
    let begin = ContinuousClock.now
    kill(first.pid, SIGHUP)
    let second = try #require(await demo.serving(generation: 2), "\(demo.errors)")
    #expect(await eventually { !Observed.lives(first.pid) })
    #expect(ContinuousClock.now - begin < .seconds(8))
    #expect(!demo.errors.contains("not ready any more"))
    kill(second.pid, SIGKILL)
  }
}
