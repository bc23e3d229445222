import CGracefulSystem
import GracefulShutdown
import GracefulTriggers
import TestHost
import Testing

@Suite("A signal that says the same thing once more", .valuesOnly)
struct SignalEchoesTests {
  /// The signal, when it came in milliseconds, and whether it counts.
  typealias Arrival = (signal: Signal, milliseconds: Int, counts: Bool)

  @Test(
    "S8: within 20 ms of one of the same number it is one with it; a later one, and one of another number, counts",
    arguments: [
      // timeout(1).
      [(.terminate, 0, true), (.terminate, 0, false)],
      [(.terminate, 0, true), (.terminate, 19, false), (.terminate, 20, true), (.terminate, 39, false)],
      // The echo makes the time no longer: what comes again and again is heard.
      [(.terminate, 0, true), (.terminate, 15, false), (.terminate, 30, true), (.terminate, 45, false)],
      [(.interrupt, 0, true), (.terminate, 1, true), (.interrupt, 2, false), (.terminate, 3, false)],
      // ^C, forwarded by a parent in the same process group, three times.
      [
        (.interrupt, 0, true), (.interrupt, 1, false), (.interrupt, 150, true), (.interrupt, 151, false),
        (.interrupt, 300, true), (.interrupt, 301, false),
      ],
      [(.hangup, 5, true), (.hangup, 5, false), (.hangup, 3_600_000, true)],
    ] as [[Arrival]])
  func table(arrivals: [Arrival]) {
    var echoes = SignalEchoes()
    let start = ContinuousClock.now
    for arrival in arrivals {
      let now = start + .milliseconds(arrival.milliseconds)
      #expect(echoes.isEcho(arrival.signal, at: now) != arrival.counts, "\(arrival)")
    }
  }
}
