import Foundation
import Graceful
import TestHost
import Testing

/// A plan against the clock: a stop in which every phase takes all the time that it may, in a real process.
@Suite("S11: a real stop", .sharing(.processors), .timeLimit(.minutes(2)))
struct PlanAgainstClockTests {
  private static let phases = [
    "log:0.25", "secrets:0.25", "store:1:log,secrets", "search:0.5:log", "cache:0.25:store", "queue:1.25:store",
    "mail:0.75:search", "web:1.25:cache,mail", "api:1.25:queue,cache", "edge:0.5:web,api", "admin:0.25:api",
    "cron:0.5:queue",
  ]

  private struct Plan: Decodable { var worstCase: Double }
  private struct Report: Decodable { var took: Double }

  @Test(
    "takes as long as the plan's worst case, when each phase has its whole time, and when the last share what is left",
    arguments: ["20", "5"])
  func worstCase(grace: String) async throws {
    let graph = [grace] + Self.phases
    let planning = try ChildProgram("planned", graph, environment: ["GRACEFUL_PLAN=json"])
    #expect(await planning.end()?.code == 0)
    let worst = try JSONDecoder().decode(Plan.self, from: Data(planning.printed().utf8)).worstCase
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("plan-\(UUID().uuidString.prefix(8))")
    defer { try? FileManager.default.removeItem(at: file) }
    let program = try ChildProgram("planned", graph, environment: ["GRACEFUL_REPORT_FILE=\(file.path)"])
    // The trigger says a line when it listens, and each phase when it is ready; several may come at once.
    var lines = 0
    while lines <= Self.phases.count {
      lines += try #require(await program.wait(for: "\n", on: program.output)).count { $0 == "\n" }
    }
    program.signal(SIGTERM)
    #expect(await program.end(limit: .seconds(60))?.code == 124)
    let took = try JSONDecoder().decode(Report.self, from: Data(contentsOf: file)).took
    // A busy machine may be late, and never early.
    #expect(took > worst * 0.98 && took < worst * 1.02 + 1, "\(took) s, where \(worst) s was to be")
  }
}
