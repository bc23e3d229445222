import GracefulSystem
import Synchronization
import Testing
import TestHost

@Suite("A latch")
struct LatchTests {
  @Test("keeps the first value, and says which call it was")
  func first() {
    let latch = Latch<Int>()
    #expect(latch.value == nil)
    #expect(!latch.isSet)
    #expect(latch.set(1))
    #expect(!latch.set(2))
    #expect(latch.value == 1)
  }

  @Test("calls back once, before and after it is set")
  func callbacks() {
    let latch = Latch<Int>()
    let told = Mutex<[String]>([])
    latch.whenSet { value in told.withLock { $0.append("early \(value)") } }
    latch.set(7)
    latch.set(8)
    latch.whenSet { value in told.withLock { $0.append("late \(value)") } }
    #expect(told.withLock { $0 } == ["early 7", "late 7"])
  }

  @Test("may be asked and set by what it calls back")
  func reentry() {
    let latch = Latch<Int>()
    let other = Latch<Int>()
    latch.whenSet { value in
      if !latch.set(2) { other.set(value + (latch.value ?? 0)) }
    }
    latch.set(1)
    #expect(other.value == 2)
  }

  @Test("lets exactly one of many threads win")
  func race() async {
    for _ in 0..<200 {
      let latch = Latch<Int>()
      let winners = await withTaskGroup(of: Bool.self) { group in
        for number in 0..<4 { group.addTask { latch.set(number) } }
        return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
      }
      #expect(winners == 1)
    }
  }

  @Test("wakes a task that waits")
  func task() async {
    let latch = Latch<Int>()
    async let waited = latch.wait()
    latch.set(3)
    #expect(await waited == 3)
  }

  @Test("wakes a thread that waits, and lets it go when the time is over", .offThePool)
  func thread() throws {
    let latch = Latch<Int>()
    #expect(latch.wait(atMost: .milliseconds(5)) == nil)
    try SystemThread.start("test-latch") { latch.set(4) }
    #expect(latch.wait(atMost: .seconds(60)) == 4)
    #expect(latch.wait(atMost: .zero) == 4)
  }

  @Test("of a countdown opens with the last of its counts", arguments: [0, 1, 5])
  func countdown(count: Int) {
    let latch = CountdownLatch(count)
    for _ in 0..<count {
      #expect(!latch.opened.isSet)
      latch.countDown()
    }
    #expect(latch.opened.isSet)
  }
}
