import CGracefulSystem
import GracefulShutdown
import GracefulTriggers
import Synchronization
import TestHost
import Testing

/// Signals for real, raised to this very process.
///
/// One after the other: a disposition belongs to the whole process.
@Suite("Signals", .offThePool, .exclusive(.signals), .serialized, .timeLimit(.minutes(1)))
struct SignalTests {
  private func raise(_ signal: Signal) { _ = cgs_kill(cgs_process_id(), signal.rawValue) }

  @Test("A source hears each arrival")
  func source() async throws {
    let (heard, arrivals) = AsyncStream.makeStream(of: Signal.self)
    let source = try SignalSource([.user1]) { arrivals.yield($0) }
    defer { source.stop() }
    var iterator = heard.makeAsyncIterator()
    for _ in 0..<3 {
      raise(.user1)
      #expect(await iterator.next() == .user1)
    }
  }

  @Test("Two sources, a sequence and a trigger for one signal all hear it, also after one of them has left")
  func fanOut() async throws {
    let (heard, arrivals) = AsyncStream.makeStream(of: String.self)
    let first = try SignalSource([.user1]) { _ in arrivals.yield("first") }
    let second = try SignalSource([.user1, .user2]) { arrivals.yield("second \($0)") }
    let leave = try Trigger.signals([.user1]).listen { arrivals.yield("trigger \($0.why)") }
    var sequence = try SignalArrivals(of: .user1).makeAsyncIterator()
    var iterator = heard.makeAsyncIterator()

    raise(.user1)
    #expect(await sequence.next() == .user1)
    var words: Set<String> = []
    for _ in 0..<3 { words.insert(await iterator.next() ?? "") }
    #expect(words == ["first", "second SIGUSR1", "trigger SIGUSR1"])

    first.stop()
    leave()
    raise(.user1)
    #expect(await iterator.next() == "second SIGUSR1")
    #expect(await sequence.next() == .user1)
    raise(.user2)
    #expect(await iterator.next() == "second SIGUSR2")
    second.stop()
  }

  @Test("S8: A signal that comes again at once asks a trigger for nothing more, and a source hears it")
  func echo() async throws {
    let (heard, arrivals) = AsyncStream.makeStream(of: String.self)
    let asked = Heard<StopRequest>()
    let leave = try Trigger.signals([.user2]).listen(asked.add)
    let source = try SignalSource([.user2]) { _ in arrivals.yield("source") }
    defer { source.stop() }
    var iterator = heard.makeAsyncIterator()
    let begin = ContinuousClock.now
    var sent = 0
    while sent == 0 || .now - begin < .milliseconds(100) {
      sent += 1
      raise(.user2)
      #expect(await iterator.next() == "source")
    }
    #expect(asked.waits(for: 1))
    leave()
    let count = asked.all.count
    // However busy the machine is: there were 20 ms between two that count.
    let most = Int((ContinuousClock.now - begin) / SignalEchoes.window) + 1
    #expect(count <= most, "of \(sent)")
  }

  @Test("The last one who leaves restores the default, and a later one hears again")
  func disposition() async throws {
    for _ in 0..<3 {
      let (heard, arrivals) = AsyncStream.makeStream(of: Signal.self)
      let first = try SignalSource([.windowChange]) { arrivals.yield($0) }
      let second = try SignalSource([.windowChange]) { _ in }
      var iterator = heard.makeAsyncIterator()
      second.stop()
      #expect(Disposition.isCaught(.windowChange))
      raise(.windowChange)
      #expect(await iterator.next() == .windowChange)
      first.stop()
      #expect(!Disposition.isCaught(.windowChange))
    }
  }

  @Test("A sequence that nobody holds any more listens no longer")
  func droppedSequence() throws {
    do {
      let sequence = try SignalArrivals(of: .windowChange)
      _ = sequence.makeAsyncIterator()
      #expect(Disposition.isCaught(.windowChange))
    }
    #expect(!Disposition.isCaught(.windowChange))
  }

  @Test("SIGKILL, SIGSTOP, faults and numbers that are no signal are refused", arguments: ["KILL", "STOP", "SEGV"])
  func refused(name: String) throws {
    let signal = try #require(Signal(name: name))
    let reason: SignalError.Reason = name == "SEGV" ? .faultOfTheProgram : .cannotBeCaught
    #expect(throws: SignalError(signal: signal, reason: reason)) { try SignalSource([signal, .user1]) { _ in } }
    #expect(throws: SignalError(signal: Signal(rawValue: 0), reason: .noSuchSignal)) {
      try SignalArrivals(of: Signal(rawValue: 0))
    }
    #expect(throws: TriggerError.self) { try Trigger.signals([signal]).listen { _ in } }
    #expect(!Disposition.isCaught(.user1), "nothing is installed when one of them is refused")
  }

  @Test("A source that blocks in its callback holds up nobody else")
  func blockedCallback() async throws {
    let (heard, arrivals) = AsyncStream.makeStream(of: Signal.self)
    let gate = Gate()
    let blocked = try SignalSource([.user1]) { _ in gate.wait() }
    let free = try SignalSource([.user1]) { arrivals.yield($0) }
    var iterator = heard.makeAsyncIterator()
    for _ in 0..<2 {
      raise(.user1)
      #expect(await iterator.next() == .user1)
    }
    gate.open()
    blocked.stop()
    free.stop()
  }

  @Test("A signal that was blocked before is heard: the signal thread takes it")
  func unblocked() async throws {
    // That all other threads block it cannot be arranged here; that this one does not is what the system says.
    let source = try SignalSource([.user2]) { _ in }
    defer { source.stop() }
    var blocked = true
    while blocked { blocked = Disposition.threads(named: "graceful-signal").allSatisfy { $0.blocks(.user2) } }
    #expect(!blocked)
  }

  @Test("Signals have the names that people type")
  func names() {
    #expect("\(Signal.terminate)" == "SIGTERM")
    #expect(Signal(name: "SIGUSR2") == .user2)
    #expect(Signal(name: "NONSENSE") == nil)
    #expect("\(Signal(rawValue: 40))" == "signal 40")
  }
}

/// Blocks a thread until it is opened.
final class Gate: Sendable {
  private let ends: [Int32]

  init() {
    var ends: [Int32] = [-1, -1]
    _ = cgs_pipe(&ends)
    self.ends = ends
  }

  deinit { for end in ends { _ = cgs_close(end) } }

  func wait() {
    var poll = cgs_poll(fd: ends[0], wanted: Int16(CGS_POLL_IN), happened: 0)
    while cgs_poll(&poll, 1, -1) < 0 {}
  }

  func open() {
    var byte: UInt8 = 1
    _ = cgs_write(ends[1], &byte, 1)
  }
}
