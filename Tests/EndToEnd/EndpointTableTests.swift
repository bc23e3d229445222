import Foundation
import GracefulProcesses
import TestHost
import Testing

/// Each method on each path, with each token, in each part of a program's life.
@Suite("What the stop endpoint of a program answers", .sharing(.processors), .timeLimit(.minutes(2)))
struct EndpointTableTests {
  private static let right = "X-Stop-Token: \(Stoppable.token)\r\n"
  private static let wrong = "X-Stop-Token: \(Stoppable.token)0\r\n"

  private struct Row {
    var request: String
    var fields = ""
    /// While it starts, runs, is a lame duck, and drains; `nil` where it is not asked.
    var answers: [Int?]
  }

  private static let withToken = [
    Row(request: "GET /livez", answers: [200, 200, 200, 200]),
    Row(request: "HEAD /livez", answers: [200, 200, 200, 200]),
    Row(request: "GET /readyz", answers: [503, 200, 503, 503]),
    Row(request: "HEAD /readyz", answers: [503, 200, 503, 503]),
    Row(request: "GET /startupz", answers: [503, 200, 200, 200]),
    Row(request: "GET /status", fields: right, answers: [200, 200, 200, 200]),
    Row(request: "GET /status", fields: wrong, answers: [403, 403, 403, 403]),
    Row(request: "GET /status", answers: [403, 403, 403, 403]),
    Row(request: "POST /livez", answers: [405, 405, 405, 405]),
    Row(request: "POST /status", fields: right, answers: [405, 405, 405, 405]),
    Row(request: "GET /shutdown", fields: right, answers: [405, 405, 405, 405]),
    Row(request: "GET /shutdown", answers: [405, 405, 405, 405]),
    Row(request: "PUT /shutdown", fields: right, answers: [405, 405, 405, 405]),
    Row(request: "POST /shutdown", fields: wrong, answers: [403, 403, 403, 403]),
    Row(request: "POST /shutdown", answers: [403, 403, 403, 403]),
    Row(request: "POST /shutdown?wait=soon", fields: right, answers: [400, 400, 400, 400]),
    Row(request: "GET /nothing", answers: [404, 404, 404, 404]),
    Row(request: "POST /shutdown", fields: right, answers: [nil, nil, 202, 202]),
    Row(request: "POST /shutdown?wait=100ms", fields: right, answers: [nil, nil, 504, 504]),
  ]

  /// On a socket that only this user can reach there is no token.
  private static let withoutToken = [
    Row(request: "GET /livez", answers: [200, 200, 200, 200]),
    Row(request: "GET /readyz", answers: [503, 200, 503, 503]),
    Row(request: "GET /startupz", answers: [503, 200, 200, 200]),
    Row(request: "GET /status", answers: [200, 200, 200, 200]),
    Row(request: "GET /shutdown", answers: [405, 405, 405, 405]),
    Row(request: "PUT /shutdown", answers: [405, 405, 405, 405]),
    Row(request: "POST /shutdown", answers: [nil, nil, 202, 202]),
    Row(request: "POST /shutdown?wait=100ms", answers: [nil, nil, 504, 504]),
  ]

  @Test(
    "T4: as its table says while the program starts, runs, is a lame duck and drains", .serialized,
    arguments: [true, false])
  func table(overTCP: Bool) async throws {
    let program = try Stoppable(["duck=15000", "grace=60000"], tcp: overTCP)
    let (table, token) = overTCP ? (Self.withToken, Self.right) : (Self.withoutToken, "")
    func expect(_ column: Int) async {
      for row in table {
        guard let answer = row.answers[column] else { continue }
        #expect(await program.status(row.request, row.fields) == answer, "\(row), in column \(column)")
      }
    }
    @Sendable func state() async -> String { await program.ask("POST /shutdown", token) ?? "" }
    #expect(await program.answers("GET /livez", 200))
    await expect(0)
    #expect(await program.becomeReady())
    await expect(1)
    #expect(await program.status("POST /shutdown", token) == 202)
    await expect(2)
    #expect(await state().contains("\"state\":\"accepted\""), "a column took longer than the lame-duck time")
    #expect(await eventually(within: .seconds(40)) { await state().contains("\"state\":\"draining\"") })
    await expect(3)
    program.program.child.signal(SIGUSR2)
    #expect(await program.program.end() == .exited(0), "\(program.program.errors)")
  }
}
