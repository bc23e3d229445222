import Graceful
import GracefulShutdown
import GracefulTriggers
import Synchronization
import Testing

@Suite("A trigger of a user's own that answers")
struct StopRequesterTests {
  /// Hands out what it was given to listen with.
  private final class Listener: Sendable {
    let requester = Mutex<StopRequester?>(nil)
    private let left = Atomic(false)
    var hasLeft: Bool { left.load(ordering: .acquiring) }

    var trigger: Trigger {
      Trigger.answering("queue") { [self] stops in
        requester.withLock { $0 = stops }
        return { self.left.store(true, ordering: .releasing) }
      }
    }
  }

  private final class Asked: Sendable {
    private let count = Atomic(0)
    var isAsked: Bool { count.load(ordering: .relaxed) > 0 }
    func note() { count.add(1, ordering: .relaxed) }
  }

  private static let source = StopRequest.Source(kind: "queue", detail: "7")

  @Test("is told of the acceptance and of the end, with the exit code, and the report names its source")
  func accepted() async throws {
    let listener = Listener()
    let shop = Lifecycle("shop")
    shop.phase("web") { phase in
      phase.ready()
      await phase.turnToStop()
    }
    let run = Task { await shop.run(on: listener.trigger) }
    for await event in shop.events where event.kind == .ready { break }
    let (answers, told) = AsyncStream.makeStream(of: StopAnswer.self)
    listener.requester.withLock { $0 }?.request(StopRequest(source: Self.source)) { told.yield($0) }
    var iterator = answers.makeAsyncIterator()
    #expect(await iterator.next()?.state == .accepted)
    let last = await iterator.next()
    #expect(last?.state == .stopped && last?.exitCode == 0 && last?.summary != nil)
    #expect(await run.value.request == StopRequest(source: Self.source))
    #expect(listener.hasLeft)
  }

  @Test("is told why not, when a handover is going on, and nothing is requested")
  func refused() async throws {
    let listener = Listener()
    let shop = Lifecycle("shop")
    shop.whole.succession.join(
      .init(refusal: { "a handover is going on" }, requestPermission: { $0("a handover is going on") }))
    let asked = Asked()
    _ = try listener.trigger.attach(
      to: StopTarget(ask: { _ in asked.note() }, lifecycle: shop))
    let (answers, told) = AsyncStream.makeStream(of: StopAnswer.self)
    listener.requester.withLock { $0 }?.request(StopRequest(source: Self.source)) { told.yield($0) }
    var iterator = answers.makeAsyncIterator()
    let answer = await iterator.next()
    #expect(answer?.state == .refused && answer?.refusal == "a handover is going on")
    #expect(!asked.isAsked)
  }

  @Test("without a lifecycle asks, and is told of the acceptance")
  func alone() async throws {
    let listener = Listener()
    let (requests, asked) = AsyncStream.makeStream(of: StopRequest.self)
    let leave = try listener.trigger.listen { asked.yield($0) }
    let (answers, told) = AsyncStream.makeStream(of: StopAnswer.self)
    listener.requester.withLock { $0 }?.request(StopRequest(source: Self.source)) { told.yield($0) }
    var (request, answer) = (requests.makeAsyncIterator(), answers.makeAsyncIterator())
    #expect(await request.next()?.source == Self.source)
    #expect(await answer.next()?.state == .accepted)
    leave()
    #expect(listener.hasLeft)
  }
}
