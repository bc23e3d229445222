import Exploration
import Graceful
import NIOCore
import TestHost
import Testing

@testable import GracefulNIO

@Suite("A stream of progress that nobody reads", .sharing(.processors), .timeLimit(.minutes(2)))
struct UnreadStreamTests {
  private static let request = "POST /shutdown?wait=60s HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n"
  /// So that each event is long, and what the kernel holds is few of them.
  private static let name = String(repeating: "w", count: 100_000)

  @Test("is given no more than a little, and the stop ends in time")
  func bounded() async throws {
    let world = try StopWorld(ends: false)
    let gates = (0..<60).map { _ in Opening() }
    world.lifecycle.phase(Self.name) { phase in
      phase.ready()
      await withTaskGroup { group in
        for gate in gates { group.addTask { try? await phase.withSession { await gate.wait() } } }
      }
      await phase.turnToStop()
    }
    let run = try await world.run(on: .http(on: .socket(world.socket)))
    try await poll { world.lifecycle.snapshot().phases.last?.sessionsLive == 60 }
    let late = try await world.connect()
    try await late.reads(false)
    try await late.send(Self.request)
    let never = try await world.connect()
    try await never.reads(false)
    try await never.send(Self.request)
    let reader = try await world.connect()
    try await reader.send(Self.request)

    // Each is heard of by the one who reads: some four megabytes.
    for left in (20..<60).reversed() {
      gates[left].open()
      try await reader.until { Self.lastEvent($0)?.contains("\"sessions\":\(left),") == true }
    }
    let all = reader.seen.text.utf8.count
    #expect(all > 3_000_000)

    // A client that reads at last, hears what is true now, and not all that was.
    try await late.reads(true)
    try await late.until { Self.lastEvent($0)?.contains("event: draining") == true }
    gates[19].open()
    let caughtUp = try await late.until { Self.lastEvent($0)?.contains("\"sessions\":19,") == true }
    #expect(caughtUp.text.utf8.count < 1_000_000, "\(caughtUp.text.utf8.count) of \(all)")

    let before = ContinuousClock.now
    for gate in gates { gate.open() }
    world.letEnd()
    #expect(await run.value.exitCode == 0)
    // And not when the one who reads nothing has waited for its 60 s.
    #expect(ContinuousClock.now - before < .seconds(40))
    for client in [late, never, reader] { await client.close() }
  }

  /// Once it is there as a whole, and of it the few bytes in which its kind and its numbers stand, on both sides of the
  /// long name: to look through everything at each read would take longer than to read it.
  private static func lastEvent(_ seen: RawClient.Seen) -> String? {
    let bytes = seen.text.utf8
    guard bytes.count > name.utf8.count, bytes.suffix(4).elementsEqual("\n\n\r\n".utf8) else { return nil }
    let event = bytes.suffix(name.utf8.count + 500)
    return String(decoding: event.prefix(500) + event.suffix(400), as: UTF8.self)
  }
}
