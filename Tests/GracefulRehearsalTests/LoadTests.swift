import NIOCore
import NIOPosix
import TestHost
import Testing

@testable import GracefulRehearsal

@Suite("Load on real sockets", .sharing(.processors), .timeLimit(.minutes(2))) struct LoadTests {
  typealias Behavior = ScriptedServer.Behavior

  /// Runs clients until `enough` requests have ended.
  func load(
    port: Int, _ mode: LoadMode, connections: Int = 4, enough: Int = 200, limit: TimeAmount = .seconds(10),
    expectedLength: Int? = nil, pattern: String? = nil, longestWait: TimeAmount = .milliseconds(2),
    sources: [SocketAddress] = [], stopping: Bool = false
  ) async throws -> LoadTally {
    let url = try #require(TargetURL("http://127.0.0.1:\(port)/"))
    var settings = try LoadSettings(url: url, address: SocketAddress(ipAddress: "127.0.0.1", port: port))
    settings.longestWait = longestWait
    settings.limit = limit
    settings.expectedLength = expectedLength
    settings.expectedPattern = pattern
    settings.sources = sources
    let observations = LoadObservations(windows: RestartWindows())
    if stopping { observations.stops.open(at: .now()) }
    let load = Load(modes: [mode], connections: connections, settings: settings, observations: observations)
    try await poll("\(enough) requests") { observations.counts.ended >= enough }
    let tally = try #require(await load.end()[mode])
    #expect(tally.isBalanced)
    #expect(observations.counts.ended == tally.sent)
    #expect(observations.counts.failed == tally.failed.values.reduce(0, +))
    return tally
  }

  static let faults: [(Behavior, FailureKind)] = [
    (.closeBeforeByte, .closedBeforeByte), (.reset, .reset), (.cutBody, .cutShort), (.cutHead, .cutShort),
    (.serverError, .badStatus), (.wrongID, .wrongBody), (.wrongLength, .wrongBody), (.garbage, .badStatus),
    (.bytesBehind, .bytesBehind), (.secondAnswer, .bytesBehind), (.lineBehind, .bytesBehind),
  ]

  @Test(
    "Each tenth request is treated badly, and exactly these are found, as what they are", .serialized,
    arguments: faults,
    LoadMode.allCases)
  func exactly(fault: (Behavior, FailureKind), mode: LoadMode) async throws {
    let server = try await ScriptedServer { $0 % 10 == 0 ? fault.0 : .answer }
    let tally = try await load(port: server.port, mode, expectedLength: 5)
    #expect(tally.failed == [fault.1: server.count(fault.0)])
    #expect(tally.answered == server.count(.answer))
    #expect(tally.idleCloses == 0)
    #expect(tally.announcedCloses == 0)
    await server.end()
  }

  @Test("An answer that was not asked for is found when it comes late, too, and the next request is not answered by it")
  func lateAnswer() async throws {
    let server = try await ScriptedServer { $0 % 10 == 0 ? .lateAnswer : .answer }
    // Time enough for it to come before the next request.
    let tally = try await load(port: server.port, .keepalive, longestWait: .milliseconds(100))
    let late = server.count(.lateAnswer)
    // The client may have left, or have asked again, before it came; then its id tells that it is another request's.
    let found = tally.failed[.bytesBehind, default: 0] + tally.failed[.wrongBody, default: 0]
    #expect((late - 4...late).contains(found) && tally.failed[.bytesBehind, default: 0] > 0, "\(tally.failed) \(late)")
    #expect(tally.idleCloses == 0)
    await server.end()
  }

  @Test("Bodies of any length are right where none is expected", .serialized, arguments: LoadMode.allCases)
  func anyLength(mode: LoadMode) async throws {
    let server = try await ScriptedServer { $0 % 10 == 0 ? .wrongLength : .noID }
    let tally = try await load(port: server.port, mode)
    #expect(tally.failed.isEmpty)
    await server.end()
  }

  @Test("A body is held against an expression where one is given", .serialized, arguments: LoadMode.allCases)
  func pattern(mode: LoadMode) async throws {
    let server = try await ScriptedServer { $0 % 10 == 0 ? .wrongLength : .noID }
    let tally = try await load(port: server.port, mode, pattern: "^hel+o$")
    #expect(tally.failed == [.wrongBody: server.count(.wrongLength)])
    await server.end()
  }

  @Test("An answer that does not come is given up at the limit", .serialized, arguments: LoadMode.allCases)
  func silence(mode: LoadMode) async throws {
    let server = try await ScriptedServer { $0 % 10 == 0 ? .silence : .answer }
    // It holds for the others, too: a machine that is busy must not make them late.
    let tally = try await load(port: server.port, mode, enough: 20, limit: .seconds(5))
    #expect(tally.failed == [.timedOut: server.count(.silence)])
    await server.end()
  }

  @Test(
    "A server that answers everything loses nothing, with either kind of client", .serialized,
    arguments: LoadMode.allCases)
  func nothing(mode: LoadMode) async throws {
    let server = try await ScriptedServer { _ in .answer }
    let tally = try await load(port: server.port, mode, enough: 500)
    #expect(tally.failed.isEmpty)
    #expect(tally.notSent.isEmpty)
    #expect(tally.answered == server.count(.answer))
    #expect(tally.latency(.steady).max > 0)
    #expect(tally.latency(.between).max == 0)
    await server.end()
  }

  @Test("A close that was announced is counted as that, and is no failure", .serialized, arguments: LoadMode.allCases)
  func announced(mode: LoadMode) async throws {
    let server = try await ScriptedServer { $0 % 10 == 0 ? .announceAndClose : .answer }
    let tally = try await load(port: server.port, mode)
    #expect(tally.failed.isEmpty)
    #expect(tally.announcedCloses == server.count(.announceAndClose))
    #expect(tally.idleCloses == 0)
    await server.end()
  }

  @Test("A close without an announcement is idle when it is seen in time, else a failure; none is forgotten")
  func idle() async throws {
    let server = try await ScriptedServer { $0 % 10 == 0 ? .answerAndClose : .answer }
    let tally = try await load(port: server.port, .keepalive)
    let inTheFace = tally.failed.values.reduce(0, +)
    #expect(tally.idleCloses > 0)
    // Up to four of the last ones come when the client has left.
    let closes = server.count(.answerAndClose)
    #expect((closes - 4...closes).contains(tally.idleCloses + inTheFace))
    await server.end()
  }

  @Test("Where nobody listens every request is refused", .serialized, arguments: LoadMode.allCases)
  func refused(mode: LoadMode) async throws {
    let server = try await ScriptedServer { _ in .answer }
    let port = server.port
    await server.end()
    let tally = try await load(port: port, mode, enough: 50)
    #expect(tally.failed == [.refused: tally.sent])
  }

  @Test(
    "Who is refused while a stop is going on is turned away, and nothing else is excused", .serialized,
    arguments: LoadMode.allCases)
  func turnedAway(mode: LoadMode) async throws {
    let server = try await ScriptedServer { $0 % 10 == 0 ? .closeBeforeByte : .answer }
    let port = server.port
    let excused = try await load(port: port, mode, stopping: true)
    #expect(excused.failed == [.closedBeforeByte: server.count(.closeBeforeByte)] && excused.turnedAway == 0)
    await server.end()
    let tally = try await load(port: port, mode, enough: 50, stopping: true)
    #expect(tally.failed.isEmpty && tally.turnedAway == tally.sent)
  }

  @Test("A keep-alive client keeps its connection; the other one makes one for each request") func connections()
    async throws
  {
    let server = try await ScriptedServer { _ in .noID }
    let kept = try await load(port: server.port, .keepalive, expectedLength: 5)
    #expect(kept.failed.isEmpty)
    let new = try await load(port: server.port, .new, expectedLength: 5)
    #expect(new.failed.isEmpty)
    await server.end()
  }

  @Test("Connections go out from the addresses that are given") func sources() async throws {
    let server = try await ScriptedServer { _ in .answer }
    let sources = SourceAddresses.needed(for: try SocketAddress(ipAddress: "127.0.0.1", port: 1), reuse: "0")
    let tally = try await load(port: server.port, .new, sources: sources)
    #expect(tally.failed.isEmpty)
    #expect(tally.notSent.isEmpty)
    await server.end()
  }

  @Test("What our own machine refuses is no class of the server's, and the clients stop") func ownMachine() async throws
  {
    // 192.0.2.0/24 is assigned to no host (RFC 5737), so no connection can go out from there.
    let url = try #require(TargetURL("http://127.0.0.1:9/"))
    var settings = try LoadSettings(url: url, address: SocketAddress(ipAddress: "127.0.0.1", port: 9))
    settings.sources = [try SocketAddress(ipAddress: "192.0.2.1", port: 0)]
    let observations = LoadObservations(windows: RestartWindows())
    let load = Load(modes: [.new], connections: 3, settings: settings, observations: observations)
    try await poll("three refusals") { observations.counts.ended >= 3 }
    let tally = try #require(await load.end()[.new])
    #expect(tally.notSent.values.reduce(0, +) == 3)
    #expect(tally.failed.isEmpty)
    #expect(tally.isBalanced)
    #expect(observations.ownRefusal != nil)
  }

  @Test("A probe learns the usual length only where it is one") func probe() async throws {
    func usual(_ script: @escaping @Sendable (Int) -> Behavior) async throws -> Int? {
      let server = try await ScriptedServer(script)
      let url = try #require(TargetURL("http://127.0.0.1:\(server.port)/"))
      let settings = try LoadSettings(url: url, address: SocketAddress(ipAddress: "127.0.0.1", port: server.port))
      let length = await Probe(settings).usualLength()
      await server.end()
      return length
    }
    #expect(try await usual { _ in .noID } == 5)
    #expect(try await usual { $0 == 2 ? .wrongLength : .noID } == nil)
    #expect(try await usual { _ in .answer } == nil)
    #expect(try await usual { _ in .closeBeforeByte } == nil)
  }
}
