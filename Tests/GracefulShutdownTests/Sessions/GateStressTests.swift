import GracefulShutdown
import GracefulTesting
import Synchronization
import TestHost
import Testing

/// Real threads, more than there are processors.
@Suite("A gate under threads", .exclusive(.processors), .serialized, .timeLimit(.minutes(5)))
struct GateStressTests {
  private let clock = ManualClock()

  /// What a round has done, counted beside the gate.
  private final class Witness: Sendable {
    let inside = Atomic(0)
    let admitted = Atomic<UInt64>(0)
    let refused = Atomic<UInt64>(0)
    let failed = Atomic(0)
    let emptied = Atomic(0)
    let insideWhenEmptied = Atomic(-1)

    func came() {
      admitted.wrappingAdd(1, ordering: .relaxed)
      inside.wrappingAdd(1, ordering: .relaxed)
    }

    func leaves() { inside.wrappingSubtract(1, ordering: .relaxed) }
  }

  private static func visit(_ phase: Phase, _ witness: Witness, _ number: Int) {
    do {
      let session = try phase.beginSession(number % 7 == 0 ? "named" : nil)
      witness.came()
      if number % 3 == 0 {
        // Never refused, whatever the gate does meanwhile.
        let inner = session.beginSession(number % 6 == 0 ? "inner" : nil)
        witness.came()
        witness.leaves()
        inner.end()
      }
      witness.leaves()
      if number % 5 == 0 {
        witness.failed.wrappingAdd(1, ordering: .relaxed)
        session.fail()
      } else {
        session.end()
      }
    } catch {
      witness.refused.wrappingAdd(1, ordering: .relaxed)
    }
  }

  @Test("Trap 1: one that comes while it closes is admitted and waited for, or refused, and never lost")
  func admissionAgainstClosing() async {
    var (refused, drained) = (UInt64(0), 0)
    var round = 0
    // And for as long as only one side of the race was seen: on a busy machine the threads may come one after the other.
    while round < 2_000 || (refused == 0 || drained == 0) && round < 100_000 {
      let lead = round % 100
      round += 1
      let phase = Phase(name: "web", environment: clock)
      let witness = Witness()
      await onThreads(4) { index in
        if index == 0 {
          // Later and later, until most rounds are over before it, then from the beginning again.
          for number in 0..<lead { Self.visit(phase, witness, number) }
          phase.gate.close {
            witness.insideWhenEmptied.store(witness.inside.load(ordering: .relaxed), ordering: .relaxed)
            witness.emptied.wrappingAdd(1, ordering: .relaxed)
          }
        } else {
          for number in 0..<60 { Self.visit(phase, witness, number) }
        }
      }
      let counts = phase.gate.counts
      // All threads are gone, so all that was inside is gone: it must have been noticed, once.
      #expect(witness.emptied.load(ordering: .relaxed) == 1)
      #expect(witness.insideWhenEmptied.load(ordering: .relaxed) == 0)
      #expect(counts.live == 0)
      #expect(counts.admitted == witness.admitted.load(ordering: .relaxed))
      #expect(counts.refused == witness.refused.load(ordering: .relaxed))
      #expect(counts.failed == witness.failed.load(ordering: .relaxed))
      #expect(counts.drained <= counts.liveAtClose + Int(counts.admittedWhileDraining))
      #expect(phase.gate.named(limit: 1).isEmpty)
      refused += counts.refused
      drained += counts.drained + counts.failedWhileDraining
    }
    // Both sides of the race have been seen.
    #expect(refused > 0)
    #expect(drained > 0)
  }

  /// Its `now` is in the gate's memory: as long as that is there, so is this.
  private final class Token: Sendable {}

  @Test("Whoever comes last, the owner or a session, frees the memory, once")
  func owners() async {
    for round in 0..<1_000 {
      weak var memory: Token?
      let sessions = Mutex<[SharedSession]>([])
      let owner: Mutex<SessionGate?>
      do {
        let token = Token()
        memory = token
        owner = Mutex(
          SessionGate(now: {
            withExtendedLifetime(token) {}
            return .now
          }))
        owner.withLock { owner in
          guard let owner else { return }
          let phase = Phase(name: "web", environment: clock, gate: owner)
          sessions.withLock { sessions in
            for _ in 0...(round % 3) {
              if let session = try? phase.beginSession("named") { sessions.append(session.shared()) }
            }
          }
        }
      }
      #expect(memory != nil)
      let shared = Shared(sessions: sessions.withLock { $0 })
      sessions.withLock { $0 = [] }
      let gate = owner.withLock { owner in
        defer { owner = nil }
        return Shared(gate: owner)
      }
      await onThreads(4) { index in
        switch index {
        case 0: gate.drop()
        default: shared.end(index - 1)
        }
      }
      #expect(memory == nil)
    }
  }

  /// What threads take apart.
  private final class Shared: Sendable {
    private let state: Mutex<(gate: SessionGate?, sessions: [SharedSession])>

    init(gate: SessionGate? = nil, sessions: [SharedSession] = []) { state = Mutex((gate, sessions)) }

    func drop() {
      let gate = state.withLock { state in
        defer { state.gate = nil }
        return state.gate
      }
      // The last reference goes here, outside the lock.
      _ = gate
    }

    func end(_ index: Int) { state.withLock { $0.sessions.indices.contains(index) ? $0.sessions[index] : nil }?.end() }
  }

  @Test("Child phases that come and go while it closes are waited for as sessions are, and counted apart")
  func children() async {
    for round in 0..<500 {
      let phase = Phase(name: "web", environment: clock)
      let witness = Witness()
      await onThreads(3) { index in
        if index == 0 {
          for number in 0..<(round % 20) { Self.visit(phase, witness, number) }
          phase.gate.close {
            witness.insideWhenEmptied.store(witness.inside.load(ordering: .relaxed), ordering: .relaxed)
            witness.emptied.wrappingAdd(1, ordering: .relaxed)
          }
        } else {
          for _ in 0..<20 {
            guard let place = phase.enter() else { continue }
            witness.inside.wrappingAdd(1, ordering: .relaxed)
            witness.leaves()
            phase.leave(place)
          }
        }
      }
      let counts = phase.gate.counts
      #expect(witness.emptied.load(ordering: .relaxed) == 1)
      #expect(witness.insideWhenEmptied.load(ordering: .relaxed) == 0)
      #expect(counts.admitted == witness.admitted.load(ordering: .relaxed))
      #expect(counts.liveAtClose == 0)
      #expect(counts.children == 0)
      #expect(counts.drained == 0)
    }
  }
}
