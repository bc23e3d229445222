import GracefulSystem
import Synchronization
import Testing

@Suite("A mailbox")
struct MailboxTests {
  @Test("handles one message at a time, those of each thread in order, and loses none")
  func order() async {
    let mailbox = Mailbox<Int>()
    let handled = Recorder()
    let inside = Inside()
    await withTaskGroup(of: Void.self) { group in
      for writer in 0..<4 {
        group.addTask {
          for step in 0..<500 {
            mailbox.post(writer * 1000 + step) { message in
              #expect(inside.enter() == 1)
              handled.append(message)
              inside.leave()
            }
          }
        }
      }
    }
    let all = handled.values
    #expect(all.count == 2000)
    for writer in 0..<4 {
      let own = all.filter { $0 / 1000 == writer }
      #expect(own == own.sorted())
    }
    #expect(mailbox.isIdle)
  }

  @Test("handles what a handler posts after the message before it, not inside")
  func reentry() {
    let mailbox = Mailbox<Int>()
    var steps: [String] = []
    func handle(_ message: Int) {
      steps.append("\(message) begins")
      if message < 3 { mailbox.post(message + 1, handledBy: handle) }
      steps.append("\(message) ends")
    }
    mailbox.post(1, handledBy: handle)
    #expect(steps == ["1 begins", "1 ends", "2 begins", "2 ends", "3 begins", "3 ends"])
  }

  @Test("does not recurse, whatever number of messages follow from one")
  func depth() {
    let mailbox = Mailbox<Int>()
    var last = 0
    func handle(_ message: Int) {
      last = message
      if message < 200_000 { mailbox.post(message + 1, handledBy: handle) }
    }
    mailbox.post(1, handledBy: handle)
    #expect(last == 200_000)
  }

  @Test("makes the first post drain it, and refuses what is beyond the limit")
  func limit() {
    let mailbox = Mailbox<Int>()
    #expect(mailbox.isIdle)
    #expect(mailbox.post(1, limit: 2) == .isFirst)
    #expect(mailbox.post(2, limit: 2) == .queued)
    #expect(mailbox.post(3, limit: 2) == .refused)
    #expect(mailbox.post(4) == .queued)
    #expect(!mailbox.isIdle)
    var handled: [Int] = []
    mailbox.drain { handled.append($0) }
    #expect(handled == [1, 2, 4])
    #expect(mailbox.isIdle)
    #expect(mailbox.post(5) == .isFirst)
  }
}

/// How many handlers run at the same time.
private final class Inside: Sendable {
  private let count = Atomic(0)

  func enter() -> Int { count.add(1, ordering: .relaxed).newValue }
  func leave() { count.subtract(1, ordering: .relaxed) }
}
