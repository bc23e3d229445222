import GracefulShutdown
import Testing

@Suite("The word of a stripe")
struct SessionWordTests {
  private static func word(_ admitted: UInt64 = 0, live: UInt64 = 0, closed: Bool = false) -> SessionWord {
    SessionWord(raw: admitted << 32 | live << 1 | (closed ? 1 : 0))
  }

  private static let mostLive: UInt64 = (1 << 31) - 1
  private static let mostFromOutside: UInt64 = 1 << 30
  private static let mostAdmitted: UInt64 = (1 << 32) - 1

  @Test("is made of its three parts")
  func parts() {
    let word = Self.word(Self.mostAdmitted, live: Self.mostLive, closed: true)
    #expect(word.raw == .max)
    #expect(word.admitted == Self.mostAdmitted)
    #expect(word.live == Int(Self.mostLive))
    #expect(word.isClosed)
    #expect(SessionWord() == Self.word())
  }

  struct Row: Sendable, CustomTestStringConvertible {
    var before: SessionWord
    var outside: SessionWord?
    var inside: SessionWord?
    var last = false

    var testDescription: String {
      "\(before.admitted) admitted, \(before.live) live, \(before.isClosed ? "closed" : "open")"
    }
  }

  static let table: [Row] = [
    Row(before: word(), outside: word(1, live: 1), inside: nil),
    Row(before: word(5, live: 2), outside: word(6, live: 3), inside: word(6, live: 3)),
    Row(before: word(5, closed: true), outside: nil, inside: nil),
    Row(before: word(5, live: 1, closed: true), outside: nil, inside: word(6, live: 2, closed: true), last: true),
    Row(before: word(5, live: 2, closed: true), outside: nil, inside: word(6, live: 3, closed: true)),
    Row(before: word(5, live: 1), outside: word(6, live: 2), inside: word(6, live: 2)),
    // The count of admitted wraps and disturbs nothing.
    Row(before: word(mostAdmitted, live: 1), outside: word(0, live: 2), inside: word(0, live: 2)),
    // From outside there is room for 2^30; what is inside has as much again.
    Row(
      before: word(7, live: mostFromOutside - 1), outside: word(8, live: mostFromOutside),
      inside: word(8, live: mostFromOutside)),
    Row(before: word(7, live: mostFromOutside), outside: nil, inside: word(8, live: mostFromOutside + 1)),
    Row(before: word(7, live: mostLive - 1), outside: nil, inside: word(8, live: mostLive)),
    Row(before: word(7, live: mostLive), outside: nil, inside: nil),
    Row(before: word(7, live: mostLive, closed: true), outside: nil, inside: nil),
  ]

  @Test("decides who comes in, and who was the last", arguments: table)
  func decides(row: Row) {
    #expect(row.before.admitting == row.outside)
    #expect(row.before.admittingInside == row.inside)
    #expect(row.before.endsTheLast == row.last)
    // A child phase is let in by the same rule, and is no session.
    #expect((row.before.entering != nil) == (row.outside != nil))
    #expect((row.before.enteringInside != nil) == (row.inside != nil))
    for entered in [row.before.entering, row.before.enteringInside].compactMap({ $0 }) {
      #expect(entered == Self.word(row.before.admitted, live: UInt64(row.before.live) + 1, closed: row.before.isClosed))
    }
    #expect(row.before.closing.isClosed)
    #expect(row.before.closing.closing == row.before.closing)
    #expect(row.before.isAboutToWrap == (row.before.admitted == Self.mostAdmitted))
    if row.before.live > 0 { #expect(row.before.ending.live == row.before.live - 1) }
  }
}
