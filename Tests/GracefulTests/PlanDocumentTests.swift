import GracefulShutdown
import GracefulTesting
import SchemaChecking
import ServiceLifecycle
import Synchronization
import Testing

@testable import Graceful

@Suite("S11: a plan as JSON, and in a ServiceGroup", .timeLimit(.minutes(1)))
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
    let lameDuck = LameDuckSetting(LameDuckTime(limit: .seconds(30)), from: .kubernetes)
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
  }

  @Test("In a group a lifecycle prints its plan, starts nothing, and returns")
  func service() throws {
    let shop = Lifecycle("shop", logger: .silent)
    let ladder = ManualLadder()
    shop.phase("web", script: .obedient, on: ladder)
    let printed = Mutex("")
    let service = shop.service()
    try service.showPlan(.text) { text in
      printed.withLock { $0 += text }
      return nil
    }
    #expect(printed.withLock { $0 } == shop.plan().text)
    #expect(ladder.recorder.events == [])
  }

  @Test("In a group a wrong configuration, and a value that is neither text nor JSON, is a failure with exit code 78")
  func wrongService() {
    let shop = Lifecycle("shop", logger: .silent)
    shop.phase("web", limit: .zero) { _ in }
    let codes = [PlanMode.text, .json, .unknown("yaml")].map { mode -> [Int32] in
      do {
        try shop.service().showPlan(mode) { _ in nil }
        return []
      } catch {
        let report = (error as? LifecycleFailure)?.report
        return [report?.exitCode ?? 0, Int32(report?.mistakes.count ?? 0)]
      }
    }
    #expect(codes == [[78, 1], [78, 1], [78, 2]])
  }
}
