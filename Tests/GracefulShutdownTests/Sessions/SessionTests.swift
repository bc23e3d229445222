import GracefulShutdown
import GracefulTesting
import Testing

@Suite("A session", .timeLimit(.minutes(1)))
struct SessionTests {
  let ladder = ManualLadder()

  var phase: Phase { Phase(name: "web", environment: ladder) }

  @Test("is counted from its beginning to its end")
  func counted() throws {
    let phase = phase
    let session = try phase.beginSession()
    #expect(phase.gate.counts.live == 1)
    session.end()
    #expect(phase.gate.counts.live == 0)
    #expect(phase.gate.counts.admitted == 1)
  }
}
