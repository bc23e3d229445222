import GracefulShutdown
import GracefulTesting
import SchemaChecking
import ServiceLifecycle
import Synchronization
import Testing

@testable import Graceful

@Suite("S11: a plan as JSON", .timeLimit(.minutes(1)))
struct PlanDocumentTests {
  private static let platforms: [PlatformGrace?] = [
    nil, PlatformGrace(.seconds(10), .container), PlatformGrace(.seconds(30), .kubernetes),
    PlatformGrace(.seconds(90), .systemd), PlatformGrace(.milliseconds(1), .environment),
  ]

  @Test("It is what the schema says, whoever kills", arguments: platforms)
  func schema(platform: PlatformGrace?) throws {
    let graph = PhaseGraph([
      .init("database", startLimit: .seconds(1)), .init("web", requires: ["database"], limit: .seconds(40)),
    ])
    let lameDuck = LameDuck.Setting(LameDuck.Timing(limit: .seconds(30)), from: .kubernetes)
    let plan = StopPlan(
      "shop", grace: GraceSetting(.seconds(25), from: .environment), lameDuck: platform == nil ? nil : lameDuck,
      platform: platform, graph: graph)
    #expect(try StopPlan(json: plan.json()) == plan)
    #expect(try SchemaChecker("lifecycle-plan-1").problems(inText: plan.json()) == [])
    #expect(plan.json().contains("\"graceFrom\" : \"environment\""))
  }

  @Test("It is what the schema says of nothing, and of every mistake")
  func bad() throws {
    let empty = StopPlan("", grace: GraceSetting(.seconds(25)), graph: PhaseGraph([]))
    #expect(try SchemaChecker("lifecycle-plan-1").problems(inText: empty.json()) == [])
    let mistakes = ReportValues.mistakes.map { ConfigurationMistake(kind: $0) }
    let wrong = StopPlan(
      "shop", grace: GraceSetting(.seconds(-1)), graph: PhaseGraph([.init("a", requires: ["a"])]), mistakes: mistakes)
    #expect(try SchemaChecker("lifecycle-plan-1").problems(inText: wrong.json()) == [])
    #expect(wrong.mistakes.count == mistakes.count + 2)
    #expect(try StopPlan(json: wrong.json()) == wrong)
    #expect(try StopPlan(json: empty.json()) == empty)
  }
}
