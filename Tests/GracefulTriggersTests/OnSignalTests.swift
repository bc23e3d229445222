import CGracefulSystem
import Foundation
import GracefulTriggers
import TestHost
import Testing

@Suite("A callback for signals, without a lifecycle", .exclusive(.signals), .serialized, .timeLimit(.minutes(1)))
struct OnSignalTests {
  private struct Failure: Error, Equatable { var signal: Signal }

  private func raise(_ signal: Signal) { _ = cgs_kill(cgs_process_id(), signal.rawValue) }

  @Test("hears each arrival although nobody keeps it; what it throws goes to the other one, and it hears on")
  func course() async throws {
    let (heard, arrivals) = AsyncStream.makeStream(of: String.self)
    let source = try onSignal([.user1, .user2]) { signal in
      if signal == .user2 { throw Failure(signal: signal) }
      arrivals.yield("\(signal)")
    } onError: { error in
      arrivals.yield("error of \((error as? Failure)?.signal.description ?? "?")")
    }
    var iterator = heard.makeAsyncIterator()
    for (signal, text) in [(Signal.user1, "SIGUSR1"), (.user2, "error of SIGUSR2"), (.user1, "SIGUSR1")] {
      raise(signal)
      #expect(await iterator.next() == text)
    }
    source.stop()
    #expect(!Disposition.isCaught(.user1))
  }

  /// In a process of its own: in this one other tests open descriptors meanwhile.
  @Test("A thousand that were stopped leave no descriptor open", .inOwnProcess)
  func stopped() async {
    await #expect(processExitsWith: .success) {
      let open = { (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0 }
      // What is made for the first one of all stays.
      try onSignal([.user1]) { _ in
      } onError: { _ in
      }.stop()
      let before = open()
      for _ in 0..<1000 {
        let source = try onSignal([.user1]) { _ in
        } onError: { _ in
        }
        source.stop()
        source.stop()
      }
      // Their threads end a little later.
      let deadline = ContinuousClock.now + .seconds(20)
      while open() > before, ContinuousClock.now < deadline { _ = cgs_poll(nil, 0, 1) }
      #expect(open() <= before)
    }
  }

  @Test("hears what somebody stops a program with, unless told otherwise")
  func stopping() throws {
    #expect(Signal.stopping == [.terminate, .interrupt, .quit, .hangup])
    let source = try onSignal { _ in
    } onError: { _ in
    }
    for signal in Signal.stopping { #expect(Disposition.isCaught(signal), "\(signal)") }
    source.stop()
    for signal in Signal.stopping { #expect(!Disposition.isCaught(signal), "\(signal)") }
  }

  @Test("is refused what cannot be caught, and what is no signal at all", arguments: ["KILL", "STOP"])
  func refused(name: String) throws {
    let signal = try #require(Signal(name: name))
    #expect(throws: SignalError(signal: signal, reason: .cannotBeCaught)) {
      try onSignal([signal]) { _ in
      } onError: { _ in
      }
    }
    #expect(throws: SignalError.self) {
      try onSignal([]) { _ in
      } onError: { _ in
      }
    }
    #expect(throws: SignalError.self) { try SignalArrivals() }
    #expect(throws: TriggerError.self) { try Trigger.signals([]).listen { _ in } }
  }
}
