import TestHost
import CGracefulSystem
import GracefulDescriptors
import GracefulTesting
import Synchronization
import Testing

@testable import Graceful

@Suite("A pool for calls that block", .timeLimit(.minutes(1)))
struct BlockingCallPoolTests {
  private let pool: BlockingCallPool
  private let loop: PollLoop

  init() throws {
    let loop = try PollLoop(name: "pool-test")
    self.loop = loop
    pool = BlockingCallPool { _ = loop.schedule(at: $0, $1) }
  }

  @Test("does everything once, and leaves no thread behind")
  func everything() async {
    let done = Mutex<[Int]>([])
    for number in 0..<10_000 { pool.perform { done.withLock { $0.append(number) } } }
    #expect(await eventually { done.withLock(\.count) == 10_000 })
    #expect(await eventually { pool.threads == 0 })
    #expect(done.withLock { Set($0).count } == 10_000)
  }

  @Test("gets to what waits behind work that blocks, however many of these there are")
  func blocked() async {
    let begun = Atomic(0)
    let recorder = Recorder()
    // Each blocks until all have begun: so each needs a thread.
    for _ in 0..<32 {
      pool.perform {
        begun.add(1, ordering: .relaxed)
        let limit = ContinuousClock.now + .seconds(20)
        while begun.load(ordering: .relaxed) < 32, ContinuousClock.now < limit { BlockingCallPoolTests.waitAMoment() }
        recorder.record("ended")
      }
    }
    #expect(await eventually { recorder.events.count == 32 })
    #expect(begun.load(ordering: .relaxed) == 32)
    #expect(await eventually { pool.threads == 0 })
  }

  @Test("has 64 threads at most; what comes when all are blocked waits until one of them is not")
  func bound() async {
    let begun = Atomic(0)
    let isOpen = Atomic(false)
    let done = Atomic(0)
    for _ in 0..<100 {
      pool.perform {
        begun.add(1, ordering: .relaxed)
        let limit = ContinuousClock.now + .seconds(20)
        while !isOpen.load(ordering: .relaxed), ContinuousClock.now < limit { BlockingCallPoolTests.waitAMoment() }
        done.add(1, ordering: .relaxed)
      }
    }
    #expect(await eventually { begun.load(ordering: .relaxed) == 64 })
    // For longer than its patience, several times.
    #expect(
      !(await eventually(within: .milliseconds(100)) { begun.load(ordering: .relaxed) > 64 || pool.threads > 64 }))
    isOpen.store(true, ordering: .relaxed)
    #expect(await eventually { done.load(ordering: .relaxed) == 100 })
    #expect(await eventually { pool.threads == 0 })
  }

  @Test("starts again after it had nothing to do")
  func again() async {
    let recorder = Recorder()
    for round in 0..<200 {
      pool.perform { recorder.record("\(round)") }
      #expect(await recorder.sees("\(round)"))
    }
  }

  private static func waitAMoment() { _ = cgs_poll(nil, 0, 1) }
}
