import TestHost
import CGracefulSystem
import GracefulDescriptors
import Logging
import NIOCore
import NIOPosix
import SystemPackage
import Testing

@testable import GracefulNIO

@Suite("Who accepts", .serialized, .timeLimit(.minutes(2)))
struct AcceptingTests {
  private let request = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"

  /// A second server on another copy of the listener.
  private func second(to first: TestServer) async throws -> TestServer {
    try await TestServer.adopt(try first.copy.owned.duplicate(), name: "second", copy: first.copy)
  }

  private func endAll(_ servers: [TestServer], _ clients: [RawClient]) async {
    for client in clients { await client.close() }
    for server in servers { _ = await server.server.drain(until: .now + .seconds(30)) }
  }

  @Test("An adopted listener accepts nothing before it is told to")
  func nothingAtFirst() async throws {
    let first = try await TestServer.start(accepting: false)
    let client = try await first.connect()
    try await client.send(request)
    let second = try await second(to: first)
    await second.server.startAccepting()
    try await client.until { $0.text.hasSuffix("second/x") }
    #expect(first.server.connections == 0)
    await endAll([first, second], [client])
  }

  @Test("What comes after a pause waits for another copy of the listener, or for this one to resume")
  func pauseAndResume() async throws {
    let first = try await TestServer.start()
    let second = try await second(to: first)
    await first.server.pauseAccepting()
    let one = try await first.connect()
    try await one.send(request)
    await second.server.startAccepting()
    try await one.until { $0.text.hasSuffix("second/x") }
    await second.server.pauseAccepting()
    let two = try await first.connect()
    try await two.send(request)
    #expect(first.server.connections == 0 && second.server.connections == 1)
    await first.server.startAccepting()
    try await two.until { $0.text.hasSuffix("first/x") }
    await endAll([first, second], [one, two])
  }

  @Test("Pausing and resuming work for a caller that is no task")
  func callbacks() async throws {
    let first = try await TestServer.start(accepting: false)
    await withCheckedContinuation { done in first.server.startAccepting { done.resume() } }
    let client = try await first.connect()
    try await client.send(request)
    try await client.until { $0.text.hasSuffix("first/x") }
    await withCheckedContinuation { done in first.server.pauseAccepting { done.resume() } }
    await endAll([first], [client])
  }

  @Test("A closed listener stays open where another copy is, and cannot be resumed here")
  func closeListener() async throws {
    let first = try await TestServer.start()
    let second = try await second(to: first)
    await first.server.closeListener()
    await first.server.closeListener()
    await first.server.startAccepting()
    await second.server.startAccepting()
    let client = try await first.connect()
    try await client.send(request)
    try await client.until { $0.text.hasSuffix("second/x") }
    await endAll([first, second], [client])
  }

  @Test("Who waits in the queue of a server when it stops is answered, and the queue is open to others afterwards")
  func queueIsEmptied() async throws {
    let first = try await TestServer.start(on: TestServer.quietGroup)
    let server = first.server
    await server.pauseAccepting()
    var clients: [RawClient] = []
    for index in 0..<40 {
      let client = try await first.connect()
      try await client.send("GET /\(index) HTTP/1.1\r\nHost: a\r\n\r\n")
      clients.append(client)
    }
    // Both in one turn of the loop: it has not looked at the queue when the drain begins.
    let drained = TestServer.quietGroup.next().makePromise(of: DrainOutcome.self)
    TestServer.quietGroup.next().execute {
      server.startAccepting {}
      server.drain(until: .now + .seconds(30)) { drained.succeed($0) }
    }
    for (index, client) in clients.enumerated() {
      let seen = try await client.until(limit: .seconds(10)) { $0.fin }
      #expect(seen.text.hasSuffix("first/\(index)") && seen.failure == nil)
      await client.close()
    }
    #expect(try await drained.futureResult.get() == DrainOutcome(finished: 40))
    // No client is kept from the socket's other owner.
    let second = try await second(to: first)
    await second.server.startAccepting()
    let client = try await first.connect()
    try await client.send(request)
    try await client.until { $0.text.hasSuffix("second/x") }
    await endAll([second], [client])
  }

  @Test("Who comes while a queue is being emptied is not let in, and is when somebody else still listens afterwards")
  func heldOff() async throws {
    let first = try await TestServer.start()
    let port = try #require(first.server.localAddress?.port)
    let early = try await first.connect()
    try await poll { first.server.connections == 1 }
    let connecting: Task<RawClient, any Error>
    do {
      let queue = try ListenQueue(of: first.copy.owned.number, mayBeShared: true)
      queue.holdOff()
      connecting = Task { try await first.connect() }
      try await poll { try ConnectionsOfAPort.unanswered(port) == 1 }
      let isEmpty = queue.isEmpty
      #expect(isEmpty && first.server.connections == 1)
      // A client that has a connection notices nothing.
      try await early.send(request)
      try await early.until { $0.text.hasSuffix("first/x") }
      _ = consume queue
    }
    let late = try await connecting.value
    try await late.send(request)
    try await late.until { $0.text.hasSuffix("first/x") }
    await endAll([first], [early, late])
  }

  @Test(
    "Where nobody else has the listener, nobody is let in any more until it is closed; else everybody is",
    arguments: [true, false])
  func letInAgain(mayBeShared: Bool) async throws {
    let first = try await TestServer.start()
    await first.server.closeListener(mayBeShared: mayBeShared)
    // This copy shows what the socket was like when the server's was closed.
    let keepsAway = cgs_let_in(first.copy.owned.number) == 0
    #expect(keepsAway == !mayBeShared)
    await endAll([first], [])
  }

  @Test("Who begins to accept lets in whom another process kept away, and was killed")
  func killedMeanwhile() async throws {
    let first = try await TestServer.start()
    // What a killed process leaves: the socket as it made it, and no owner to take that back.
    let left = cgs_hold_off(first.copy.owned.number)
    #expect(left == 0)
    await first.server.pauseAccepting()
    await first.server.startAccepting()
    let client = try await first.connect()
    try await client.send(request)
    try await client.until { $0.text.hasSuffix("first/x") }
    await endAll([first], [client])
  }

  @Test("Connections accepted last before the listener closes are counted and served", arguments: 0..<20)
  func acceptedLast(_: Int) async throws {
    let first = try await TestServer.start()
    let address = first.server.localAddress
    let connecting = Task {
      var clients: [RawClient] = []
      for _ in 0..<40 { clients.append(try await RawClient.connect(to: address, on: TestServer.group)) }
      return clients
    }
    try await poll { first.server.connections > 5 }
    await first.server.pauseAccepting()
    let counted = first.server.connections
    await first.server.closeListener()
    #expect(first.server.connections == counted)
    let second = try await second(to: first)
    await second.server.startAccepting()
    let clients = try await connecting.value
    for client in clients { try await client.send(request) }
    var answered = 0
    for client in clients where try await client.until({ $0.text.hasSuffix("/x") }).text.hasSuffix("first/x") {
      answered += 1
    }
    #expect(answered == counted && second.server.connections == 40 - counted)
    await endAll([first, second], clients)
  }

  @Test("A connection whose handlers cannot be added is closed, not counted, and does not hold up the end")
  func failingInitializer() async throws {
    struct Refused: Error {}
    let listener = try TestServer.listener()
    let server = try await DrainingServer.adopt(listener, on: TestServer.group, logger: Logger(label: "test")) {
      $0.eventLoop.makeFailedFuture(Refused())
    }
    await server.startAccepting()
    let client = try await RawClient.connect(to: server.localAddress, on: TestServer.group)
    try await client.until { $0.fin || $0.closed }
    try await poll { server.connections == 0 }
    await client.close()
    #expect(await server.drain(until: .now + .seconds(30)) == DrainOutcome())
  }

  @Test("What is no TCP socket is refused with a reason")
  func refused() async throws {
    let (pipe, other) = try SystemPackage.FileDescriptor.pipe()
    do {
      _ = try await DrainingServer.adopt(
        OwnedDescriptor(adopting: pipe), on: TestServer.group, logger: Logger(label: "test")
      ) {
        $0.eventLoop.makeSucceededVoidFuture()
      }
      Issue.record("a pipe was adopted")
    } catch let error as SystemError {
      #expect(error.operation == "getsockname")
    }
    try other.close()
  }

  @Test("A connection that runs another protocol is closed at the limit and counted as cut")
  func otherProtocol() async throws {
    let listener = try TestServer.listener()
    let server = try await DrainingServer.adopt(listener, on: TestServer.group, logger: Logger(label: "test")) {
      $0.eventLoop.makeSucceededVoidFuture()
    }
    await server.startAccepting()
    let client = try await RawClient.connect(to: server.localAddress, on: TestServer.group)
    try await poll { server.connections == 1 }
    #expect(await server.drain(until: .now + .milliseconds(50)) == DrainOutcome(cut: 1))
    await client.close()
  }

  @Test("After the drain no descriptor of the listener or of a connection is left")
  func noDescriptorLeft() async throws {
    let first = try await TestServer.start()
    let port = try #require(first.server.localAddress?.port)
    var clients: [RawClient] = []
    for _ in 0..<20 {
      let client = try await first.connect()
      try await client.send(request)
      try await client.until { $0.text.hasSuffix("first/x") }
      clients.append(client)
    }
    // The listener, its other copy, and twenty connections.
    let open = try ConnectionsOfAPort.descriptors(port)
    #expect(open == 22)
    let outcome = await first.server.drain(until: .now + .milliseconds(200))
    #expect(outcome == DrainOutcome(closedIdle: 20))
    try await poll { try ConnectionsOfAPort.descriptors(port) == 1 }
    for client in clients { await client.close() }
  }
}
