import CGracefulSystem
import Foundation
import Graceful
import GracefulDescriptors
import GracefulHandover
import GracefulShutdown
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing
import WholeMachine

@testable import GracefulNIO

@Suite("A server that serves in a phase, after a handover", .wholeMachine, .serialized, .timeLimit(.minutes(2)))
struct ServingPhaseTests {
  private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  /// Both ends of the handover are this process: nobody may be killed.
  private func configuration(_ directory: String, _ told: @escaping @Sendable (HandoverEvent) -> Void = { _ in })
    -> Handover.Configuration
  {
    var configuration = Handover.Configuration(socket: directory + "/s", program: "test", onEvent: told)
    configuration.calls.signalProcess = { _, _ in 0 }
    return configuration
  }

  @Test(
    "lets nobody in before its listener is closed for good when nobody else has it, and everybody else",
    arguments: ["nobody", "one that was offered it", "whoever made a listener that is not the handover's"])
  func letIn(whoHasIt: String) async throws {
    let directory = FileManager.default.temporaryDirectory.path + "/gn-\(UInt32.random(in: .min ... .max))"
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let hasFailed = Shared(Atomic(false))
    let configuration = configuration(directory) { event in
      if case .successorFailed = event { hasFailed.value.store(true, ordering: .releasing) }
    }
    let copy = Shared(Mutex<SharedDescriptor?>(nil))
    let lifecycle = Lifecycle("shop", grace: .seconds(60), logger: logger)
    let logger = logger
    lifecycle.phase("http") { phase in
      try await lifecycle.withHandover(configuration, for: phase) { handover in
        let address = try #require(ListenAddress("127.0.0.1:0"))
        var listener = try handover.listener("http", on: address)
        if whoHasIt.hasPrefix("whoever") { listener = try address.listen() }
        let shown = SharedDescriptor(try listener.duplicate())
        copy.value.withLock { $0 = shown }
        let server = try await DrainingServer.adopt(
          listener, on: .singletonMultiThreadedEventLoopGroup, logger: logger
        ) { $0.eventLoop.makeSucceededVoidFuture() }
        try await server.serve(in: phase, after: handover) {
          if whoHasIt.hasPrefix("one") {
            let successor = try await Handover.join(self.configuration(directory))
            await successor.leave()
            try await poll { hasFailed.value.load(ordering: .acquiring) }
          }
          lifecycle.requestStop(StopRequest(who: .code, why: "the test"))
        }
      }
    }
    let report = await lifecycle.run()
    #expect(report.exitCode == 0, "\(report)")
    // This copy shows what the socket was like when the server's was closed.
    let number = try #require(copy.value.withLock { $0 }).number
    let keepsAway = cgs_let_in(number) == 0
    #expect(keepsAway == (whoHasIt == "nobody"))
  }
}

private final class Shared<Value: ~Copyable & Sendable>: Sendable {
  let value: Value
  init(_ value: consuming Value) { self.value = value }
}
