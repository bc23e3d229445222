import TestHost
import Testing

@testable import GracefulShutdown

@Suite("What is due when", .valuesOnly)
struct DueTimesTests {
  private let start = MonotonicInstant.now

  @Test("Whatever is added, changed and taken: the next is the earliest that is valid, and what is due is found")
  func likeAList() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<50 {
      var times = DueTimes()
      var valid: [Int: MonotonicInstant] = [:]
      for _ in 0..<1000 {
        let id = Int.random(in: 0..<40, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0...2:
          let instant = start + .seconds(Int.random(in: 0..<100, using: &random))
          valid[id] = instant
          times.add(id, at: instant) { valid[$0] == $1 }
        case 3: valid[id] = nil
        default:
          let now = start + .seconds(Int.random(in: 0..<30, using: &random))
          let due = Set(valid.filter { $0.value <= now }.keys)
          #expect(due.isSubset(of: times.take(until: now)))
          for id in due { valid[id] = nil }
        }
        #expect(times.next { valid[$0] == $1 } == valid.values.min())
      }
    }
  }

  @Test("What nobody is due for any more takes no room, however many have come and gone")
  func forgotten() {
    var times = DueTimes()
    for id in 0..<100_000 { times.add(id, at: start + .seconds(id % 7)) { _, _ in false } }
    #expect(times.take(until: start + .seconds(7)).count <= 64)
  }
}
