import TestHost
import GracefulTesting
import Synchronization
import Testing

@testable import Graceful

@Suite("The queue of what is told to metrics and tracers", .timeLimit(.minutes(1)))
struct ObservationQueueTests {
  @Test("does one piece after the other, in order, whoever blocks, and drops what is too much")
  func bounded() async {
    let (queue, gate) = (ObservationQueue(), BlockingGate())
    let done = Mutex<[Int]>([])
    #expect(!queue.add {}, "nothing runs")
    queue.begin(in: ManualClock(), phases: 2)
    #expect(queue.isIdle)
    #expect(queue.add { gate.pass() })
    await gate.waitUntilBlocked()
    let accepted = (0..<6000).filter { number in queue.add { done.withLock { $0.append(number) } } }
    #expect(accepted == Array(0..<(4096 + 16)))
    #expect(!queue.isIdle)
    let settled = Recorder()
    queue.whenIdle { settled.record("settled") }
    gate.isOpen = true
    await settled.wait(for: "settled")
    #expect(done.withLock { $0 } == accepted)
    await eventually { queue.isIdle }
    queue.whenIdle { settled.record("at once") }
    #expect(settled.events == ["settled", "at once"])
    #expect(queue.add {}, "there is room again")
  }
}
