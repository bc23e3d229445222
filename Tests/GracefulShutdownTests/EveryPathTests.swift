import PathExploration
import Testing
import TestHost

/// Every sequence of events up to a length, for every graph: what is checked at each step is in `PathModel`.
///
/// Here to short lengths, because nothing is optimised. `swift run -c release explore` goes as far as CI does, and
/// `explore long` further.
@Suite("Every path through every graph of up to four phases", .valuesOnly)
struct EveryPathTests {
  private static func search(_ body: (inout PathSearch) throws -> Void) throws {
    var search = PathSearch(.short)
    try body(&search)
    #expect(!search.found.isEmpty)
  }

  @Test("One and two phases: with sessions, a child phase, stops of one phase alone, every way to end and to stop")
  func everything() throws { try Self.search { try $0.everything() } }

  @Test("Two phases with sessions in both: to eight events here, in `explore` until no new state appears")
  func exhaustive() throws { try Self.search { try $0.exhaustive() } }

  @Test("Three phases: with sessions in all of them")
  func three() throws { try Self.search { try $0.three() } }

  @Test("Four phases: with sessions in all of them and every urgency, and deeper with sessions in the last one")
  func four() throws { try Self.search { try $0.four() } }

  @Test("S7: One phase that is started again: never more often than the intensity, and never once a stop has begun")
  func restartingOne() throws { try Self.search { try $0.restartingOne() } }

  @Test("S7: Two and three phases, those that require one that is started again wait, or are started again after it")
  func restartingSome() throws { try Self.search { try $0.restartingSome() } }

  @Test(
    "S7: Two phases, one of which may be done, or fail by returning, or for good: what requires it, and the exit code")
  func ends() throws { try Self.search { try $0.ends() } }

  @Test(
    "S7: Long sequences by chance, in graphs of six phases that restart by policies of every kind", arguments: 0..<8)
  func restartingByChance(part: UInt64) throws { try Self.search { try $0.restartingByChance(part: part) } }

  @Test(
    "T5: With a lame-duck time: one and two phases, with sessions, a child phase, stops of one alone, and every end")
  func lameDuck() throws { try Self.search { try $0.lameDuck() } }

  @Test("There are 1, 2, 8 and 64 graphs of one to four phases")
  func graphs() { #expect([1, 2, 3, 4].map(PathSearch.graphs(of:)) == [1, 2, 8, 64]) }
}
