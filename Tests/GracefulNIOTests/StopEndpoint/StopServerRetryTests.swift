import TestHost
import Foundation
import Graceful
import GracefulDescriptors
import Logging
import NIOCore
import Synchronization
import SystemPackage
import Testing

@testable import GracefulNIO

/// What is in the way passes: then it serves.
@Suite("A stop endpoint that cannot listen yet", .serialized, .timeLimit(.minutes(1)))
struct StopServerRetryTests {
  @Test("accepts as soon as it can when there was no descriptor for it, and says so once")
  func noDescriptor() async throws {
    let world = try StopWorld()
    let failures = Mutex(3)
    let log = LogLines()
    let responder = StopEndpointResponder(StopEndpoint(), most: 1)
    let shop = Lifecycle("shop", logger: log.logger)
    responder.attach(to: StopTarget(ask: { _ in }, lifecycle: shop), token: nil)
    let server = StopServer(responder: responder, limits: StopServerLimits()) { socket in
      let fails = failures.withLock { left in
        left -= 1
        return left >= 0
      }
      if fails { throw SystemError(operation: "dup", subject: "test", errno: .tooManyOpenFiles) }
      return try socket.descriptor.owned.duplicate()
    }
    server.serve(try StopServerAddress.socket(world.socket).listen())
    #expect(try await world.ask("GET", "/livez").hasPrefix("HTTP/1.1 200 "))
    #expect(log.count("cannot accept yet") == 1, "\(log.lines)")
    server.leave()
    #expect(!FileManager.default.fileExists(atPath: world.socket))
  }

  @Test("that waits for its address goes on trying, whatever is in the way, and says so once")
  func notYet() async throws {
    let world = try StopWorld()
    let log = LogLines()
    let responder = StopEndpointResponder(StopEndpoint(), most: 1)
    let shop = Lifecycle("shop", logger: log.logger)
    responder.attach(to: StopTarget(ask: { _ in }, lifecycle: shop), token: nil)
    let server = StopServer(responder: responder, limits: StopServerLimits())
    let directory = world.directory + "/later"
    server.serve(.socket(directory + "/s"), every: .milliseconds(1))
    try await poll { log.count("cannot listen yet") > 0 }
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    try await poll { server.address != nil }
    #expect(log.count("cannot listen yet") == 1, "\(log.lines)")
    server.leave()
  }
}

/// What is written into the log.
private final class LogLines: Sendable {
  private let state = Mutex<[String]>([])
  var lines: [String] { state.withLock { $0 } }
  func count(_ text: String) -> Int { lines.filter { $0.contains(text) }.count }

  fileprivate func add(_ line: String) { state.withLock { $0.append(line) } }

  var logger: Logger { Logger(label: "test") { _ in Handler(lines: self) } }

  private struct Handler: LogHandler {
    let lines: LogLines
    var metadata = Logger.Metadata()
    var logLevel = Logger.Level.debug

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { lines.add("\(event.message)") }
  }
}
