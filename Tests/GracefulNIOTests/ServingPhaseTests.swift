import CGracefulSystem
import Foundation
import Graceful
import GracefulDescriptors
import GracefulHandover
import GracefulShutdown
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import GracefulNIO

@Suite("A server that serves in a phase, after a handover", .serialized, .timeLimit(.minutes(2)))
struct ServingPhaseTests {
  private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  /// Both ends of the handover are this process, which must not be killed.
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
    let (failures, failed) = AsyncStream<Void>.makeStream()
    let configuration = configuration(directory) { event in
      if event.kind == .successorFailed { failed.yield() }
    }
    let (copies, made) = AsyncStream<SharedDescriptor>.makeStream()
    let lifecycle = Lifecycle("shop", grace: .seconds(60), logger: logger)
    let logger = logger
    lifecycle.phase("http") { phase in
      try await lifecycle.withHandover(configuration, for: phase) { handover in
        let address = try #require(ListenAddress("127.0.0.1:0"))
        var listener = try handover.listener("http", on: address)
        if whoHasIt.hasPrefix("whoever") { listener = try address.listen() }
        made.yield(SharedDescriptor(try listener.duplicate()))
        let server = try await DrainingServer.adopt(
          listener, on: .singletonMultiThreadedEventLoopGroup, logger: logger
        ) { $0.eventLoop.makeSucceededVoidFuture() }
        try await server.serve(in: phase, after: handover) {
          if whoHasIt.hasPrefix("one") {
            let successor = try await Handover.join(self.configuration(directory))
            await successor.leave()
            for await _ in failures { break }
          }
          lifecycle.requestStop(StopRequest(source: .code, why: "the test"))
        }
      }
    }
    let report = await lifecycle.run()
    #expect(report.exitCode == 0, "\(report)")
    // This copy shows what the socket was like when the server's was closed.
    made.finish()
    let copy = try #require(await copies.first { _ in true })
    let keepsAway = cgs_let_in(copy.number) == 0
    #expect(keepsAway == (whoHasIt == "nobody"))
  }
}
