import NIOCore
import TestHost
import Testing

@testable import GracefulRehearsal

@Suite("Who could know that nobody serves", .valuesOnly) struct StopWindowsTests {
  private static func at(_ nanoseconds: UInt64) -> NIODeadline { .uptimeNanoseconds(nanoseconds) }

  private func windows(_ spans: [(UInt64, UInt64?)]) -> StopWindows {
    let windows = StopWindows()
    for (from, to) in spans {
      windows.open(at: Self.at(from))
      if let to { windows.close(at: Self.at(to)) }
    }
    return windows
  }

  @Test("Before the first stop nobody is turned away") func before() {
    #expect(!windows([]).turnsAway(from: Self.at(1), to: Self.at(2)))
  }

  @Test(
    "A refusal counts when some of its time lay between the request and the next server's answer",
    arguments: [
      (UInt64(80), UInt64(99), false), (80, 100, true), (120, 130, true), (90, 250, true), (200, 220, true),
      (201, 220, false),
    ])
  func touches(from: UInt64, to: UInt64, isTurnedAway: Bool) {
    let windows = windows([(100, 200)])
    #expect(windows.turnsAway(from: Self.at(from), to: Self.at(to)) == isTurnedAway)
    #expect(windows.all.first?.turnedAway == (isTurnedAway ? 1 : 0))
  }

  @Test("Until the next server answers there is no end") func open() {
    #expect(windows([(100, nil)]).turnsAway(from: Self.at(100_000), to: Self.at(100_001)))
  }

  @Test("Each is counted at the last stop, with the first of them") func counted() {
    let windows = windows([(100, 200), (300, nil)])
    #expect(windows.turnsAway(from: Self.at(310), to: Self.at(320)))
    #expect(windows.turnsAway(from: Self.at(305), to: Self.at(315)))
    #expect(windows.all.map(\.turnedAway) == [0, 2])
    #expect(windows.all.last?.firstAt == Self.at(315))
  }
}
