import Foundation
import Graceful
import Logging

/// A private directory for a control socket.
final class ControlPlace: Sendable {
  let directory: String
  var socket: String { directory + "/s" }

  init() throws {
    directory = FileManager.default.temporaryDirectory.path + "/gc-\(UInt32.random(in: .min ... .max))"
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }
}

/// What the tests of control sockets share.
enum ControlStage {
  static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  /// A program that stops when it is told to, and lets sessions end before.
  static func program(_ grace: Duration = .seconds(20)) -> Lifecycle {
    let shop = Lifecycle("shop", grace: grace, logger: Self.logger)
    shop.phase("web", limit: .seconds(5)) { phase in
      phase.ready()
      await phase.turnToStop()
    }
    return shop
  }

  /// Waits until everything has started: a stop before that finds nothing to drain, or to cancel.
  ///
  /// On a thread that it may block.
  static func waitUntilRunning(_ socket: String) throws {
    while true {
      guard let status = try? BareControlClient.ask(.status(every: nil), at: socket) else { continue }
      if status.documents.first?.contains("\"state\" : \"running\"") == true { return }
    }
  }

  /// Asks on a thread of its own: these clients block.
  static func blocking<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { done in
      Thread.detachNewThread { done.resume(with: Swift.Result { try body() }) }
    }
  }
}
