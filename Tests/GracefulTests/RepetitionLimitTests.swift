import Graceful
import Testing

@Suite("What comes again and again", .valuesOnly)
struct RepetitionLimitTests {
  @Test("is said so often in an interval, and in the next one how often it was not")
  func limit() {
    var limit = RepetitionLimit(2, in: .seconds(10))
    let now = ContinuousClock.now
    #expect(limit.decide(at: now) == .say(unsaid: 0))
    #expect(limit.decide(at: now + .seconds(1)) == .say(unsaid: 0))
    for _ in 0..<1000 { #expect(limit.decide(at: now + .seconds(9)) == .keepStill) }
    #expect(limit.decide(at: now + .seconds(10)) == .say(unsaid: 1000))
    #expect(limit.decide(at: now + .seconds(11)) == .say(unsaid: 0))
    #expect(limit.decide(at: now + .seconds(12)) == .keepStill)
  }
}
