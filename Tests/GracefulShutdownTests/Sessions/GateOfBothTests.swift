import GracefulShutdown
import GracefulTesting
import Synchronization
import Testing

/// Sessions and child phases are counted in memory of their own.
@Suite("A gate with sessions and child phases")
struct GateOfBothTests {
  private final class Count: Sendable {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .relaxed) }

    func add() { count.add(1, ordering: .relaxed) }
  }

  @Test("is empty when the last of both has left, whichever that is", arguments: [false, true])
  func both(sessionFirst: Bool) throws {
    let phase = Phase(name: "web", environment: ManualClock())
    let session = try phase.beginSession()
    let child = try #require(phase.gate.enter())
    let emptied = Count()
    phase.gate.close { emptied.add() }
    #expect(phase.gate.counts.live == 1)
    #expect(phase.gate.counts.children == 1)
    if sessionFirst {
      session.end()
      #expect(emptied.value == 0)
      phase.gate.leave(child)
    } else {
      phase.gate.leave(child)
      #expect(emptied.value == 0)
      session.end()
    }
    #expect(emptied.value == 1)
    #expect(phase.gate.counts.liveAtClose == 1)
  }

  @Test("refuses both from outside when it is closed, and takes back neither by its pause's end")
  func refused() throws {
    for hadChild in [false, true] {
      for hadSession in [false, true] {
        let phase = Phase(name: "web", environment: ManualClock())
        if hadChild { phase.gate.leave(try #require(phase.gate.enter())) }
        if hadSession { try phase.beginSession().end() }
        phase.gate.pause()
        #expect(phase.gate.enter() == nil)
        #expect(throws: PhaseError.self) { try phase.beginSession().end() }
        let emptied = Count()
        phase.gate.close { emptied.add() }
        phase.gate.resume()
        #expect(emptied.value == 1)
        #expect(phase.gate.enter() == nil)
        #expect(throws: PhaseError.self) { try phase.beginSession().end() }
        #expect(phase.gate.counts.refused == 2)
      }
    }
  }

  @Test("names also what is opened from inside a child phase while it drains")
  func inside() async throws {
    let phase = Phase(name: "web", environment: ManualClock())
    let place = try #require(phase.enter())
    phase.gate.close {}
    try await Phase.at(Place(body: Phase(name: "child", environment: ManualClock()), within: place)) {
      let session = try phase.beginSession("late")
      #expect(phase.gate.named(limit: 9).map(\.name) == ["late"])
      #expect(phase.gate.counts.admittedWhileDraining == 1)
      session.end()
    }
    #expect(phase.gate.named(limit: 9).isEmpty)
    phase.leave(place)
  }
}
