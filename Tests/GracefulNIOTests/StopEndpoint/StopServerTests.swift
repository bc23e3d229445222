import TestHost
import Foundation
import Graceful
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import GracefulNIO

private let right = "X-Stop-Token: \(StopWorld.token)\r\n"

@Suite("The stop endpoint's own server, over sockets", .serialized, .timeLimit(.minutes(3)))
struct StopServerTests {
  @Test("answers probes and status from before the start to the end")
  func probes() async throws {
    let world = try StopWorld(isReady: false, ends: false)
    let run = try await world.run(on: .http(on: .socket(world.socket)), until: .starting)
    #expect(try await world.ask("GET", "/livez").hasPrefix("HTTP/1.1 200 "))
    #expect(try await world.ask("GET", "/readyz").hasSuffix("\r\n\r\nstarting\n"))
    #expect(try await world.ask("GET", "/startupz").hasPrefix("HTTP/1.1 503 "))
    world.becomeReady()
    try await poll { world.lifecycle.snapshot().state == .running }
    #expect(try await world.ask("GET", "/readyz").hasSuffix("\r\n\r\nready\n"))
    #expect(try await world.ask("GET", "/startupz").hasPrefix("HTTP/1.1 200 "))
    #expect(try await world.ask("HEAD", "/startupz").hasSuffix("\r\n\r\n"))
    #expect(try await world.ask("GET", "/status").contains("\"schema\" : 1"))
    #expect(try await world.ask("GET", "/other").hasPrefix("HTTP/1.1 404 "))
    #expect(try await world.ask("GET", "/shutdown").hasPrefix("HTTP/1.1 405 "))
    world.lifecycle.requestStop()
    #expect(try await world.ask("GET", "/readyz").hasSuffix("\r\n\r\nstopping\n"))
    #expect(try await world.ask("GET", "/livez").hasPrefix("HTTP/1.1 200 "))
    #expect(try await world.ask("GET", "/startupz").hasPrefix("HTTP/1.1 200 "))
    world.letEnd()
    #expect(await run.value.exitCode == 0)
    #expect(!FileManager.default.fileExists(atPath: world.socket))
  }

  @Test("takes a request for a stop, says who asked, and does not wait for the end")
  func atOnce() async throws {
    let world = try StopWorld(ends: false)
    let run = try await world.run(on: .http(on: .socket(world.socket)))
    let answer = try await world.ask("POST", "/shutdown?why=new+version")
    #expect(answer.hasPrefix("HTTP/1.1 202 ") && answer.contains("\"state\":\"accepted\",\"phasesLeft\":1"))
    world.letEnd()
    #expect(await run.value.request?.description == "HTTP: new version, from the socket")
  }

  @Test("Trap 26: answers with the exit code whoever waits, when it has stopped and not before")
  func waiting() async throws {
    let world = try StopWorld(ends: false)
    let run = try await world.run(on: .http(on: .socket(world.socket)))
    async let answer = world.ask("POST", "/shutdown?wait=60s")
    try await poll { world.lifecycle.snapshot().state == .stopping }
    // A later request joins, and a request that does not wait is told what holds it up.
    async let second = world.ask("POST", "/shutdown?wait=60s")
    #expect(try await world.ask("POST", "/shutdown").contains("\"holding\":[{\"phase\":\"web\""))
    world.letEnd()
    for text in [try await answer, try await second] {
      #expect(
        text.hasPrefix("HTTP/1.1 200 ") && text.contains("\"state\":\"stopped\"") && text.contains("\"exitCode\":0"))
    }
    _ = await run.value
  }

  @Test("answers 504 and what holds it up when the time is over, and the stop goes on")
  func late() async throws {
    let world = try StopWorld(ends: false)
    let run = try await world.run(on: .http(on: .socket(world.socket)))
    let answer = try await world.ask("POST", "/shutdown?wait=50ms")
    #expect(answer.hasPrefix("HTTP/1.1 504 ") && answer.contains("not stopped in time: web holds it up"))
    world.letEnd()
    #expect(await run.value.exitCode == 0)
  }

  @Test("tells the progress as events, to the last one")
  func stream() async throws {
    let world = try StopWorld(ends: false)
    let run = try await world.run(on: .http(on: .socket(world.socket)))
    let client = try await world.connect()
    try await client.send("POST /shutdown HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n")
    try await client.until { $0.text.contains("event: draining\n") }
    world.letEnd()
    let seen = try await client.until { $0.fin }
    #expect(seen.text.contains("Content-Type: text/event-stream"))
    #expect(seen.text.contains("event: stopped\ndata: {\"state\":\"stopped\""))
    #expect(seen.text.hasSuffix("0\r\n\r\n") && seen.failure == nil)
    await client.close()
    _ = await run.value
  }

  @Test("demands the token where there is one")
  func token() async throws {
    let world = try StopWorld()
    let run = try await world.run(on: .http(on: .socket(world.socket), token: world.secret))
    for fields in ["", "X-Stop-Token: wrong\r\n", "Authorization: Bearer \(StopWorld.token)x\r\n"] {
      #expect(try await world.ask("POST", "/shutdown", fields).hasPrefix("HTTP/1.1 403 "))
      #expect(try await world.ask("GET", "/status", fields).hasPrefix("HTTP/1.1 403 "))
      #expect(try await world.ask("GET", "/readyz", fields).hasPrefix("HTTP/1.1 200 "))
    }
    #expect(world.lifecycle.snapshot().state == .running)
    #expect(try await world.ask("POST", "/shutdown", right).hasPrefix("HTTP/1.1 202 "))
    _ = await run.value
  }

  @Test("on TCP without a token is a mistake of the configuration, on loopback too, and nothing starts")
  func tokenless() async throws {
    let world = try StopWorld()
    let address = ListenAddress(host: "127.0.0.1", port: 0)
    let report = await world.lifecycle.run(on: .http(on: .tcp(address)))
    #expect(report.exitCode == 78)
    #expect(report.mistakes.first?.description.contains("demands a token") == true)
    #expect(report.phases.allSatisfy { $0.end == .neverStarted })
  }

  @Test("on TCP answers there, and asks for the token")
  func tcp() async throws {
    let world = try StopWorld()
    let asked = Asked()
    let started = try StopServer.start(
      on: .tcp(ListenAddress(host: "127.0.0.1", port: 0)), token: world.secret, endpoint: .init(), limits: .init(),
      waitsForAddress: false, for: StopTarget(ask: { asked.note($0) }), name: "test")
    try await poll { started.server.address != nil }
    for (fields, status) in [("", "403"), (right, "202")] {
      let client = try await RawClient.connect(to: started.server.address, on: TestServer.group)
      try await client.send("POST /shutdown HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
      #expect(try await client.until { $0.fin }.text.hasPrefix("HTTP/1.1 \(status) "))
      await client.close()
    }
    #expect(asked.last?.why.hasPrefix("from 127.0.0.1:") == true)
    started.listening.leave()
  }

  @Test("has a socket of mode 0600, replaces what a dead process left, and never one at which somebody listens")
  func path() async throws {
    let world = try StopWorld()
    let run = try await world.run(on: .http(on: .socket(world.socket)))
    let mode = try FileManager.default.attributesOfItem(atPath: world.socket)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    let other = Lifecycle("other")
    other.phase("p") { $0.ready() }
    let report = await other.run(on: .http(on: .socket(world.socket)))
    #expect(report.exitCode == 78)
    #expect(report.mistakes.first?.description.contains("listens at \(world.socket) already") == true)
    #expect(try await world.ask("GET", "/livez").hasPrefix("HTTP/1.1 200 "))
    world.lifecycle.requestStop()
    _ = await run.value

    // Bound, and left behind by a process that ends without a word.
    let third = try StopWorld()
    let dead = third.socket
    do { _ = try StopServerAddress.socket(dead).listen() }
    #expect(FileManager.default.fileExists(atPath: dead))
    let again = try await third.run(on: .http(on: .socket(dead)))
    #expect(try await third.ask("GET", "/livez").hasPrefix("HTTP/1.1 200 "))
    third.lifecycle.requestStop()
    _ = await again.value
  }

  @Test("says what is wrong with a path")
  func badPaths() throws {
    let world = try StopWorld()
    let open = world.directory + "/open"
    try FileManager.default.createDirectory(
      atPath: open, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o777])
    try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: open)
    try Data().write(to: URL(fileURLWithPath: world.directory + "/file"))
    let cases = [
      (world.directory + "/" + String(repeating: "x", count: 108), "at most"), (open + "/s", "written to by others"),
      (world.directory + "/file", "not a socket"), (world.directory + "/none/s", "mkdir"), ("", "empty"),
    ]
    for (path, reason) in cases {
      let error = try #require(throws: StopSocketError.self) { try StopServerAddress.socket(path).listen() }
      #expect(error.reason.contains(reason) && !error.isTaken, "\(error)")
    }
  }

  @Test("serves on, with bounded memory, however many connections say nothing")
  func crowd() async throws {
    let world = try StopWorld()
    var limits = StopServerLimits()
    limits.connections = 50
    let target = StopTarget(ask: { _ in }, lifecycle: world.lifecycle)
    let started = try StopServer.start(
      on: .tcp(ListenAddress(host: "127.0.0.1", port: 0)), token: world.secret, endpoint: .init(), limits: limits,
      waitsForAddress: false, for: target, name: "test")
    try await poll { started.server.address != nil }
    // Both ends of each connection are in this process; as many as its limit leaves room for.
    let count = min(2_000, ThisProcess.descriptorLimit / 3)
    var crowd: [RawClient] = []
    for number in 0..<count {
      crowd.append(try await RawClient.connect(to: started.server.address, on: TestServer.group))
      if number % 100 == 0 {
        let client = try await RawClient.connect(to: started.server.address, on: TestServer.group)
        try await client.send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try await client.until { $0.fin }.text.hasPrefix("HTTP/1.1 200 "))
        await client.close()
      }
    }
    try await poll { started.server.connections <= 50 }
    // The oldest were let go.
    _ = try await crowd[0].until { $0.closed || $0.fin }
    for client in crowd { await client.close() }
    started.listening.leave()
  }

  @Test("cuts those who send slowly, and tells one more than may wait how far it is")
  func limits() async throws {
    let hasty = try StopWorld()
    var short = StopServerLimits()
    short.requestTime = .milliseconds(200)
    let cut = try await hasty.run(on: .http(on: .socket(hasty.socket), limits: short))
    let slow = try await hasty.connect()
    try await slow.send("GET /livez HT")
    #expect(try await slow.until { $0.fin || $0.closed }.text.hasPrefix("HTTP/1.1 408 "))
    await slow.close()
    hasty.lifecycle.requestStop()
    _ = await cut.value

    // Those who send at once have the usual time: a machine that is busy may need it.
    let world = try StopWorld(ends: false)
    var few = StopServerLimits()
    few.waiting = 1
    let run = try await world.run(on: .http(on: .socket(world.socket), limits: few))
    let waits = try await world.connect()
    try await waits.send("POST /shutdown?wait=60s HTTP/1.1\r\nHost: a\r\n\r\n")
    try await poll { world.lifecycle.snapshot().state == .stopping }
    #expect(try await world.ask("POST", "/shutdown?wait=60s").hasPrefix("HTTP/1.1 202 "))
    world.letEnd()
    #expect(try await waits.until { $0.fin }.text.hasPrefix("HTTP/1.1 200 "))
    await waits.close()
    _ = await run.value
  }

  @Test("holds the exit until its answer is written, however soon the end comes", arguments: ["", "?wait=60s"])
  func sudden(query: String) async throws {
    let world = try StopWorld()
    let exitHook = Mutex<ExitHook?>(nil)
    let (isOver, wasOver) = (Flag(), Flag())
    // Everything has ended before the client that asked for it begins to wait.
    let target = StopTarget(
      ask: { _ in
        guard let exitHook = exitHook.withLock({ $0 }) else { return }
        Thread.detachNewThread {
          exitHook.say(Self.report)
          isOver.set()
        }
        let until = ContinuousClock.now + .milliseconds(200)
        while ContinuousClock.now < until, !isOver.isSet {}
        if isOver.isSet { wasOver.set() }
      }, lifecycle: world.lifecycle)
    let started = try StopServer.start(
      on: .socket(world.socket), token: nil, endpoint: .init(), limits: .init(), waitsForAddress: false, for: target,
      name: "test")
    exitHook.withLock { $0 = started.listening.exitHooks.first { $0.moment == .withReport } }
    #expect(try await world.ask("POST", "/shutdown\(query)").hasPrefix("HTTP/1.1 20"))
    try await poll { isOver.isSet }
    #expect(!wasOver.isSet, "the process would have been gone before the answer")
    started.listening.leave()
  }

  private static let report = LifecycleReport(
    lifecycle: "shop", request: StopRequest(), mistakes: [], phases: [], stragglers: [], ran: .zero, took: .zero,
    grace: .seconds(1), endedBySignal: nil, ignored: [])

  @Test("waits for the address when it is told so, and gets it as soon as the other one lets go")
  func turns() async throws {
    let (first, second) = (try StopWorld(), try StopWorld())
    let socket = first.socket
    let run = try await first.run(on: .http(on: .socket(socket), waitsForAddress: true))
    let next = try await second.run(on: .http(on: .socket(socket), waitsForAddress: true))
    #expect(try await first.ask("GET", "/livez").hasPrefix("HTTP/1.1 200 "))
    first.lifecycle.requestStop(StopRequest(source: .successor(1)))
    _ = await run.value
    try await poll { FileManager.default.fileExists(atPath: socket) }
    #expect(try await first.ask("GET", "/status").contains("\"state\" : \"running\""))
    second.lifecycle.requestStop()
    _ = await next.value
  }
}

private final class Asked: Sendable {
  private let state = Mutex<StopRequest?>(nil)
  var last: StopRequest? { state.withLock { $0 } }
  func note(_ request: StopRequest) { state.withLock { $0 = request } }
}

private final class Flag: Sendable {
  private let state = Atomic(false)
  var isSet: Bool { state.load(ordering: .acquiring) }
  func set() { state.store(true, ordering: .releasing) }
}
