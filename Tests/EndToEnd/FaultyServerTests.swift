import Foundation
import TestHost
import Testing

/// The witness must be beyond doubt before it bears witness against the rehearsal.
@Suite("A server that fails on purpose", .sharing(.processors), .timeLimit(.minutes(1)))
struct FaultyServerTests {
  /// What a client sees of each fault that is done to every third of nine requests.
  struct Case: CustomTestStringConvertible {
    var fault: String
    var option: String
    var ending: @Sendable (_ id: String) -> BareClient.Ending
    var answers = false
    /// More than one connection when the fault ends it.
    var connections = 3

    var testDescription: String { fault }

    static let all: [Case] = [
      Case(fault: "close", option: "--close-every") { _ in .closedBeforeByte },
      Case(fault: "reset", option: "--reset-every") { _ in .reset },
      Case(fault: "cut", option: "--cut-every") { _ in .cutShort },
      Case(
        fault: "badStatus", option: "--bad-status-every",
        ending: { .answered(status: "503 Service Unavailable", id: $0, announcedClose: false, rightLength: false) },
        connections: 1),
      Case(
        fault: "wrongBody", option: "--wrong-body-every",
        ending: { .answered(status: "200 OK", id: "not-\($0)", announcedClose: false, rightLength: false) },
        connections: 1),
      Case(
        fault: "announceClose", option: "--announce-close-every",
        ending: { BareClient.right(id: $0, announcedClose: true) }, answers: true),
    ]
  }

  @Test("does to every third request what it was told, and counts exactly that", .serialized, arguments: Case.all)
  func everyThird(_ example: Case) async throws {
    let server = try await FaultyServerProcess([example.option, "3"])
    let ids = (1...9).map { "request-\($0)" }
    let endings = try await BareClient.send(ids, port: server.port)
    let (code, tally) = try await server.end()

    for (index, id) in ids.enumerated() {
      let expected = (index + 1) % 3 == 0 ? example.ending(id) : BareClient.right(id: id)
      #expect(endings[index] == expected, "\(id)")
    }
    #expect(code == 0)
    #expect(tally.received == 9)
    #expect(tally.faults.filter { $0.value > 0 } == [example.fault: 3])
    #expect(tally.answered == (example.answers ? 9 : 6))
    #expect(tally.connections == example.connections)
    #expect(tally.addsUp)
  }

  @Test("counts over all connections: every tenth of 400 requests from eight clients at once is 40")
  func overAllConnections() async throws {
    let server = try await FaultyServerProcess(["--close-every", "10"])
    let port = server.port
    let failed = try await withThrowingTaskGroup(of: Int.self) { group in
      for client in 1...8 {
        group.addTask {
          let ids = (1...50).map { "\(client)-\($0)" }
          let endings = try await BareClient.send(ids, port: port)
          return zip(ids, endings).count { $1 != BareClient.right(id: $0) }
        }
      }
      return try await group.reduce(0, +)
    }
    let tally = try await server.end().tally
    #expect(failed == 40)
    #expect(tally.faults["close"] == 40)
    #expect(tally.received == 400)
    #expect(tally.answered == 360)
    #expect(tally.addsUp)
  }

  @Test("answers a delayed request late, and does not call it answered")
  func delay() async throws {
    let server = try await FaultyServerProcess(["--delay-every", "2", "--delay", "80ms"])
    let began = ContinuousClock.now
    let endings = try await BareClient.send(["prompt", "late"], port: server.port)
    #expect(ContinuousClock.now - began >= .milliseconds(80))
    #expect(endings == [BareClient.right(id: "prompt"), BareClient.right(id: "late")])
    let tally = try await server.end().tally
    #expect(tally.faults["delay"] == 1)
    #expect(tally.answered == 1)
    #expect(tally.addsUp)
  }

  @Test("closes an idle connection without a word, and counts a request that crosses with the close apart")
  func closeIdle() async throws {
    let server = try await FaultyServerProcess(["--close-idle-after-every", "2"])
    // The client does not look before it sends: its third request crosses with the close, or finds the connection gone.
    let endings = try await BareClient.send(["1", "2", "3"], port: server.port)
    let tally = try await server.end().tally
    #expect(endings[0...1] == [BareClient.right(id: "1"), BareClient.right(id: "2")])
    #expect([.closedBeforeByte, .reset, .notSent].contains(endings[2]))
    #expect(tally.faults["closeIdleAfter"] == 1)
    #expect(tally.answered == 2)
    #expect(tally.received == 2)
    #expect(tally.tooLate <= 1)
  }

  @Test(
    "refuses what it does not know with 64", .serialized,
    arguments: [["--close-evry", "3"], ["--cut-every", "0"], ["--delay"]])
  func usage(_ options: [String]) async throws {
    let process = Process()
    process.executableURL = try FaultyServerProcess.executable
    process.arguments = options
    process.standardError = FileHandle.nullDevice
    let code = try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
      do { try process.run() } catch { continuation.resume(throwing: error) }
    }
    #expect(code == 64)
  }
}
