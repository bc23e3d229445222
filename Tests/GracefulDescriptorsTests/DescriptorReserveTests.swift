import GracefulSystem
import TestHost
import Testing

@testable import GracefulDescriptors

@Suite("A reserve of descriptors")
struct DescriptorReserveTests {
  @Test("is closed as far as it is lent, and is whole again in a moment")
  func lent() async throws {
    let loop = try PollLoop(name: "reserve")
    defer { loop.stop() }
    let reserve = DescriptorReserve(of: 3)
    #expect(reserve.available == 3)
    // On the loop's thread: it is filled there, and not meanwhile.
    let left = await withCheckedContinuation { done in
      loop.execute {
        reserve.lend(2, until: loop)
        reserve.lend(2, until: loop)
        done.resume(returning: reserve.available)
      }
    }
    #expect(left == 0)
    try await poll { reserve.available == 3 }
  }
}
