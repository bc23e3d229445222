import Foundation
import Graceful
import GracefulDescriptors
import GracefulTriggers
import TestHost
import Testing

@Suite(
  "A peer of the control socket that reads nothing", .exclusive(.controlThreads), .serialized, .timeLimit(.minutes(2)))
struct ControlUnreadTests {
  @Test("is given one more document than the system has room for, and the stop ends in time")
  func bounded() async throws {
    let place = try ControlPlace()
    let socket = place.socket
    let shop = ControlStage.program(.seconds(120))
    let (hold, release) = AsyncStream<Void>.makeStream()
    // So that each document is long.
    shop.phase(String(repeating: "w", count: 100_000)) { phase in
      phase.ready()
      await phase.turnToStop()
      for await _ in hold { break }
    }
    async let report = shop.run(on: .control(socket: socket))
    let (unread, read, took) = try await ControlStage.blocking {
      try ControlStage.waitUntilRunning(socket)
      let watcher = try BareControlClient(socket)
      watcher.ask(.status(every: .milliseconds(50)))
      let requester = try BareControlClient(socket)
      requester.ask(.stop(.init(progress: .milliseconds(50))))
      let reader = try BareControlClient(socket)
      reader.ask(.stop(.init(progress: .milliseconds(50))))
      let before = try reader.answers(within: .seconds(60)) { $0.documents.count >= 30 }
      let released = ContinuousClock.now
      release.finish()
      let after = try reader.answers(within: .seconds(60)) { answers in
        if case .stopped? = answers.last { true } else { false }
      }
      let took = ContinuousClock.now - released
      var unread = 0
      for client in [watcher, requester] {
        while client.hasHeard {
          let received = SocketCalls.live.receive(client.socket.number, 65_536)
          unread += received.bytes.count
          if received.result <= 0 { break }
        }
      }
      return (unread, (before.answers + after.answers).documents.reduce(0) { $0 + $1.utf8.count }, took)
    }
    #expect(await report.exitCode == 0)
    #expect(read > 3_000_000)
    #expect(unread > 0 && unread < 1_500_000, "\(unread) of \(read)")
    #expect(took < .seconds(30))
  }
}
