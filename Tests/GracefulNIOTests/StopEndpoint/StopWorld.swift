import TestHost
import Testing
import Foundation
import Exploration
import Graceful
import NIOCore
import NIOPosix

@testable import GracefulNIO

/// A program with one phase, held at its start and at its end until the test lets it go on, and its stop endpoint.
final class StopWorld: Sendable {
  static let token = "0123456789abcdef"

  let lifecycle = Lifecycle("shop", grace: .seconds(60))
  let directory = NSTemporaryDirectory() + "g-\(UUID().uuidString.prefix(8))"
  private let start = Opening()
  private let end = Opening()

  var socket: String { directory + "/http" }
  var secret: StopTokenSource { StopToken(Self.token).map { .given($0) } ?? .environment("") }

  init(isReady: Bool = true, ends: Bool = true) throws {
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    lifecycle.phase("web") { [start, end] phase in
      await start.wait()
      phase.ready()
      await phase.turnToStop()
      await end.wait()
    }
    if isReady { start.open() }
    if ends { end.open() }
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  func becomeReady() { start.open() }
  func letEnd() { end.open() }

  /// Runs with this trigger until everything is ready, or all the same when nothing is to be.
  func run(on trigger: Trigger, until state: LifecycleSnapshot.State = .running) async throws -> Task<
    LifecycleReport, Never
  > {
    let run = Task { [lifecycle] in await lifecycle.run(on: trigger) }
    try await poll { lifecycle.snapshot().state == state }
    return run
  }

  func connect(sending first: String = "") async throws -> RawClient {
    try await RawClient.connect(
      to: SocketAddress(unixDomainSocketPath: socket), on: TestServer.group, sending: first)
  }

  /// Sends a request, and returns all that comes until the end of the connection.
  func ask(_ method: String, _ target: String, _ fields: String = "") async throws -> String {
    let client = try await connect(sending: "\(method) \(target) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
    let seen = try await client.until { $0.fin || $0.closed }
    await client.close()
    return seen.text
  }
}
