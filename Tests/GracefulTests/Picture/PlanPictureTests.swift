import Foundation
import FoundationXML
import GracefulShutdown
import Testing

@testable import Graceful

@Suite("The picture of a plan")
struct PlanPictureTests {
  private func plan(grace: Duration = .seconds(25), _ declarations: [PhaseGraph.Declaration]? = nil) -> StopPlan {
    let graph = PhaseGraph(
      declarations ?? [
        .init("database", limit: .seconds(5)), .init("cache", limit: .seconds(1)),
        .init("web", requires: ["database", "cache"], limit: .seconds(8)),
      ])
    return StopPlan(
      "shop", grace: GraceSetting(grace), platform: PlatformGrace(.seconds(30), .kubernetes), graph: graph)
  }

  @Test("shows what each may take, one after those that require it, and which of them decide the length")
  func bars() throws {
    let picture = PlanPicture(plan()).picture
    #expect(picture.rows.map(\.name) == ["web", "database", "cache"])
    let database = try #require(picture.rows.first { $0.name == "database" })
    #expect(database.bars.map(\.kind) == [.wait, .critical, .cancelled])
    #expect(database.bars[1].to - database.bars[1].from == .seconds(5))
    #expect(picture.rows[2].bars[1].kind == .limit)
    #expect(picture.links.count == 2 && picture.links.allSatisfy { $0.from == 0 && $0.isLast })
  }

  @Test("shows by when all has to be over, the platform's patience too, and who has not its whole limit")
  func deadlines() {
    let picture = PlanPicture(plan(grace: .seconds(12))).picture
    #expect(picture.panels[0].marks.map(\.label) == ["cancel", "abandon", "grace"])
    #expect(picture.rows.filter(\.isLoud).map(\.name) == ["database", "cache"])
    #expect(PlanPicture(plan()).picture.panels[0].marks.last?.label == "killed")
  }

  @Test("is XML, also of a wrong configuration, of nothing, and of years")
  func xml() {
    let plans = [
      plan(), plan([.init("a", requires: ["a"])]), plan([]), plan(grace: .zero - .seconds(1)),
      plan(grace: .longest, [.init("<a>&", limit: .longest), .init("b", requires: ["<a>&"])]),
    ]
    for plan in plans { #expect(XMLParser(data: Data(plan.svg().utf8)).parse(), "\(plan.text)") }
  }

  @Test("A plan that was printed as JSON is the same plan when it is read")
  func json() throws {
    let plans = [
      plan(), plan([.init("a", requires: ["a"])]), plan([]), plan(grace: .zero - .seconds(1)),
      StopPlan(
        "shop", grace: GraceSetting(.seconds(2.5), from: .environment), graph: PhaseGraph([.init("a", limit: .zero)]),
        mistakes: [ConfigurationMistake(kind: .environment(variable: "A", value: "b", reason: "c"))]),
    ]
    for plan in plans {
      #expect(StopPlan.isMeant(by: plan.json()))
      #expect(try StopPlan(json: plan.json()) == plan)
    }
    #expect(throws: ReportFormatError.self) { try StopPlan(json: "{}") }
    let other = plan().json().replacingOccurrences(of: "\"schema\" : 1", with: "\"schema\" : 2")
    #expect(throws: ReportFormatError.self) { try StopPlan(json: other) }
  }
}
