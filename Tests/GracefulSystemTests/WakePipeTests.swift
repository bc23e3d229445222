import GracefulSystem
import Testing
import TestHost

@Suite("A pipe that wakes", .offThePool)
struct WakePipeTests {
  @Test("ends a wait at once, and is quiet again when it was drained")
  func wakes() throws {
    let pipe = try WakePipe(for: "test")
    pipe.wake()
    let start = ContinuousClock.now
    pipe.wait(atMost: .seconds(600))
    #expect(ContinuousClock.now - start < .seconds(300))
    #expect(pipe.drain().isEmpty)
    pipe.wake()
    pipe.wake()
    #expect(pipe.drain().count == 2)
  }

  @Test("wakes although it is full")
  func full() throws {
    let pipe = try WakePipe(for: "test")
    for _ in 0..<70_000 { pipe.wake() }
    pipe.wait(atMost: .seconds(600))
    #expect(pipe.drain().count == 64)
  }

  @Test("has a timeout that is never too short, and never more than poll(2) takes")
  func timeouts() {
    #expect(PollTimeout.milliseconds(.seconds(-1)) == 0)
    #expect(PollTimeout.milliseconds(.zero) == 0)
    #expect(PollTimeout.milliseconds(.nanoseconds(1)) == 1)
    #expect(PollTimeout.milliseconds(.milliseconds(20)) == 20)
    #expect(PollTimeout.milliseconds(.microseconds(20_001)) == 21)
    #expect(PollTimeout.milliseconds(.seconds(Int64.max)) == 1_000_000_000)
  }
}
