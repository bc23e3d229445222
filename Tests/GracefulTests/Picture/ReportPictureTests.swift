import FoundationXML
import Foundation
import GracefulShutdown
import Testing

@testable import Graceful

@Suite("The picture of a report")
struct ReportPictureTests {
  /// Three in a chain: the one above ends after 3 s, the last one hangs.
  private func report(names: [String] = ["web", "queue", "database"], took: Duration = .seconds(24)) -> LifecycleReport
  {
    let times: [(start: Double, drain: Double, turn: Double, end: Double)] = [
      (0.2, 100, 102, 103), (0.1, 103, 103, 107), (0, 107, 107, 124),
    ]
    let phases = names.enumerated().map { index, name in
      let time = times[index % 3]
      return PhaseReport(
        name: name, requires: index + 1 < min(names.count, 3) ? [names[index + 1]] : [],
        end: index % 3 == 2 ? .abandoned : .drained, startedAfter: .seconds(time.start),
        readyAfter: .seconds(time.start + 0.1), drainAfter: .seconds(time.drain), turnAfter: .seconds(time.turn),
        endedAfter: .seconds(time.end))
    }
    return LifecycleReport(
      lifecycle: "shop", request: StopRequest(source: .signal(15)), mistakes: [], phases: phases,
      stragglers: [Straggler(phase: "database"), Straggler(session: "GET /feed", in: names[0], age: .seconds(12))],
      ran: .seconds(100), took: took, grace: .seconds(25), endedBySignal: nil, ignored: [])
  }

  @Test("shows when each waited, drained and cleaned up, counted from the request to stop")
  func bars() throws {
    let picture = ReportPicture(report()).picture
    let queue = try #require(picture.rows.first { $0.name == "queue" })
    let bars = queue.bars.filter { $0.panel == 1 }
    #expect(bars.map(\.kind) == [.wait, .turn])
    #expect(bars.map(\.from) == [.zero, .seconds(3)])
    #expect(bars.map(\.to) == [.seconds(3), .seconds(7)])
    let web = try #require(picture.rows.first { $0.name == "web" })
    #expect(web.bars.map(\.kind) == [.start, .drain, .turn])
  }

  @Test("shows who waited for whom: from the end of the one to the drain of the other")
  func links() throws {
    let picture = ReportPicture(report()).picture
    let rows = picture.rows.map(\.name)
    #expect(picture.links.map { [rows[$0.from], rows[$0.to]] } == [["web", "queue"], ["queue", "database"]])
    #expect(picture.links.map(\.left) == [.seconds(3), .seconds(7)])
  }

  @Test("lets those stand out that were late, with those of their sessions that were, and the deadlines")
  func stragglers() throws {
    let picture = ReportPicture(report()).picture
    #expect(picture.rows.filter(\.isLoud).map(\.name) == ["database"])
    let late = try #require(picture.rows.last { $0.name == "database" }?.bars.last)
    #expect(late.kind == .abandoned && late.isOpen)
    #expect(picture.rows[1].name == "GET /feed" && picture.rows[1].isPart)
    #expect(picture.panels[1].marks.map(\.at) == [.seconds(22), .seconds(24), .seconds(25)])
    #expect(report().svg().contains("class=\"deadline\""))
  }

  @Test("of a stop that was short shows that, not its deadlines far away")
  func short() {
    let picture = ReportPicture(report(took: .milliseconds(20))).picture
    #expect(picture.panels[1].length < .milliseconds(25))
    #expect(picture.panels[1].title.contains("25.0 s"))
  }

  @Test("is XML, whatever the names are")
  func names() {
    let names = ["<script>alert(1)</script>", "a\u{0}b\u{1b}[31m\u{7}\u{ffff}&\"'", "]]>\n\u{202e}\u{1f600}"]
    let svg = report(names: names).svg()
    let parser = XMLParser(data: Data(svg.utf8))
    #expect(parser.parse(), "\(String(describing: parser.parserError))")
    #expect(!svg.contains("<script"))
    #expect(!svg.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
  }

  @Test("of ten thousand phases shows two hundred, the late ones among them, and says how many more there are")
  func many() throws {
    var many = report(names: (0..<10_000).map { "phase \($0)" })
    for id in many.phases.indices { many.phases[id].end = id == 9_999 ? .abandoned : .drained }
    let picture = ReportPicture(many).picture
    #expect(picture.rows.filter { !$0.isPart }.count == 200)
    #expect(picture.rows.contains { $0.name == "phase 9999" })
    #expect(picture.notes == ["… and 9800 more phases"])
  }

  @Test("of a report that makes no sense is a picture all the same")
  func nonsense() {
    var report = report()
    report.ran = .seconds(-5)
    report.took = .zero
    report.grace = .zero
    report.phases[0].readyAfter = .seconds(-1)
    report.phases[1].endedAfter = .seconds(Int64.max)
    report.phases[1].drainAfter = .seconds(Int64.max)
    report.phases[2].turnAfter = .seconds(-100)
    #expect(XMLParser(data: Data(report.svg().utf8)).parse())
    report.took = .seconds(Int64.max)
    report.grace = .seconds(Int64.max)
    for id in report.phases.indices { report.phases[id].readyAfter = .seconds(Int64.max) }
    #expect(XMLParser(data: Data(report.svg().utf8)).parse())
    report.phases = []
    report.mistakes = [ConfigurationMistake(trigger: "signals", reason: "no")]
    report.request = nil
    #expect(XMLParser(data: Data(report.svg().utf8)).parse())
  }
}
